import { after, before } from "node:test";
import { transparencyContract } from "@clew/testing";
import { startGateway } from "../start-gateway.ts";
import { type FakeManager, startFakeManager } from "./fake-manager.ts";
import { silentLog } from "./gateway-fixture.ts";

let manager: FakeManager;
before(async () => {
  manager = await startFakeManager();
});
after(() => manager[Symbol.asyncDispose]());

transparencyContract("the gateway", {
  // It takes away what came from outside, and says where a request came from: that is what it is for.
  ownRequestHeaders: [
    "baggage",
    "x-forrst-caller",
    "clew-edge",
    "clew-ticket",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
  ],
  start: async (to) => {
    const gateway = await startGateway({
      listen: { host: "127.0.0.1", port: 0 },
      ingress: { host: "127.0.0.1", port: to, service: "storefront" },
      accept: [],
      manager: { url: manager.url, token: undefined },
      log: silentLog,
    });
    await gateway.previewsReceived;
    return { port: gateway.address.port, [Symbol.asyncDispose]: () => gateway.close({ graceMs: 0 }) };
  },
});
