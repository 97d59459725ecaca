import { registryContract } from "@clew/testing";
import { createMemoryRegistry } from "./memory.ts";

registryContract("in memory", async () => {
  // Just above what the longest case of the contract reads back.
  const registry = await createMemoryRegistry({ limits: { historyEvents: 200 } });
  return {
    registry,
    shortLeaseMs: 250,
    async compact() {
      for (let event = 0; event < 200; event += 1) await registry.put("filler", `${event}`);
    },
    [Symbol.asyncDispose]: () => registry.close(),
  };
});
