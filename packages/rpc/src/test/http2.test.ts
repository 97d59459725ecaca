import { startTransport } from "./start-transport.ts";
import { transportContract } from "./transport-contract.ts";

transportContract({ name: "HTTP/2", start: (server) => startTransport(server, { http2: true }) });
