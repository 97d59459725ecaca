import { startTransport } from "./start-transport.ts";
import { transportContract } from "./transport-contract.ts";

transportContract({ name: "HTTP/1.1", start: (server) => startTransport(server, {}) });
