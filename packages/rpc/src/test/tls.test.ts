import { after } from "node:test";
import { temporaryDirectory } from "@clew/testing";
import { makeCertificate } from "./certificate.ts";
import { startTransport } from "./start-transport.ts";
import { transportContract } from "./transport-contract.ts";

const directory = await temporaryDirectory();
after(() => directory[Symbol.asyncDispose]());
const tls = makeCertificate(directory.path);
const client = { tls: { ca: tls.cert } };

transportContract({
  name: "HTTP/1.1 with TLS",
  client,
  start: (server) => startTransport(server, { tls }),
});
transportContract({
  name: "HTTP/2 with TLS",
  client,
  start: (server) => startTransport(server, { tls, http2: true }),
});
