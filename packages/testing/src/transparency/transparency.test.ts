import { transparencyContract } from "./contract.ts";

// Nothing stands between: whatever the suite finds fault with here is a fault of its own.
transparencyContract("a bare connection", {
  start: async (port) => ({ port, [Symbol.asyncDispose]: async () => {} }),
});
