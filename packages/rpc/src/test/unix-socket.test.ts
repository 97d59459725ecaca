import { join } from "node:path";
import { after } from "node:test";
import { temporaryDirectory } from "@clew/testing";
import { startTransport } from "./start-transport.ts";
import { transportContract } from "./transport-contract.ts";

const directory = await temporaryDirectory();
after(() => directory[Symbol.asyncDispose]());
let sockets = 0;

transportContract({
  name: "Unix socket",
  start: (server) => startTransport(server, { path: join(directory.path, `${++sockets}.sock`) }),
});
