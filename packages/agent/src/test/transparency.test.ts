import { after, before } from "node:test";
import { transparencyContract } from "@clew/testing";
import { startAgent } from "../start-agent.ts";
import { createLog, createOverride } from "./agent-fixture.ts";
import { type FakeManager, startFakeManager } from "./fake-manager.ts";

let manager: FakeManager;
before(async () => {
  manager = await startFakeManager("orders");
  // There is something to match; no request here does.
  manager.publish({ overrides: [createOverride({ kind: "address", url: "http://127.0.0.1:1" })] });
});
after(() => manager[Symbol.asyncDispose]());

transparencyContract("the agent", {
  start: async (to) => {
    const agent = await startAgent({
      service: "orders",
      ports: {
        http: {
          listen: { host: "127.0.0.1", port: 0 },
          upstream: { host: "127.0.0.1", port: to },
          protocol: "auto",
        },
      },
      env: {},
      manager: { url: manager.url },
      log: createLog().log,
    });
    await agent.tableReceived;
    return {
      port: agent.ports["http"]?.port ?? 0,
      [Symbol.asyncDispose]: () => agent.close({ graceMs: 0 }),
    };
  },
});
