import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort, startUpstream, until } from "@clew/testing";
import { startAgent } from "../start-agent.ts";
import { ask, createLog, portOf, startFixture } from "./agent-fixture.ts";

test("an agent introduces itself with the addresses at which it really listens", async () => {
  await using fixture = await startFixture();
  const info = await until(() => fixture.manager.agents[0]);
  const { address, protocol } = info.ports["http"] ?? {};
  assert.deepEqual([info.id, address, protocol], [fixture.agent.id, `127.0.0.1:${fixture.port}`, "auto"]);
  assert.deepEqual(info.env, { COLOUR: "blue" });
  await fixture.agent.tableReceived;
});

test("listening where others can reach it, without a token for the manager, is refused", async () => {
  await using live = await startUpstream();
  const common = { service: "orders", env: {}, log: createLog().log };
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example.com"]) {
    const ports = { http: { ...portOf(live), listen: { host, port: 0 } } };
    const start = startAgent({ ...common, ports, manager: { url: "http://127.0.0.1:1" } });
    await assert.rejects(start, { code: "E_AGENT_EXPOSED", message: /others can reach/ }, host);
  }
  await assert.rejects(startAgent({ ...common, ports: {}, manager: { url: "http://127.0.0.1:1" } }), {
    code: "E_AGENT_PORTS",
  });
});

test("when one of its ports is taken nothing stays open", async () => {
  await using taken = await startUpstream();
  const free = await freePort();
  const start = startAgent({
    service: "orders",
    ports: {
      http: { ...portOf(taken), listen: { host: "127.0.0.1", port: free } },
      admin: { ...portOf(taken), listen: taken },
    },
    env: {},
    manager: { url: "http://127.0.0.1:1" },
    log: createLog().log,
  });
  await assert.rejects(start);
  await assert.rejects(ask(free), { code: "ECONNREFUSED" });
});
