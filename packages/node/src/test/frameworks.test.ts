// Frameworks have no hook of their own: they stand on node:http, and their contexts come and go with its.
import assert from "node:assert/strict";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { rawClient, startUpstream, type Upstream } from "@clew/testing";
import type { Work } from "./apps/framework-work.ts";
import { type Service, startService } from "./start-service.ts";

const requestCount = 200;
const clients: readonly string[] = ["axios", "got", "undici", "fetch", "http"];
/** Kept, and far fewer than requests: so each serves one tenant after the other. */
const connectionCount = 20;

/** Answers with what reached it, a little later for some, so that the answers overtake each other. */
const startBackend = (): Promise<Upstream> =>
  startUpstream({
    handle: (req, res) => {
      const { baggage, "x-forrst-caller": caller } = req.headersDistinct;
      const answer = `${baggage?.join(" and ")} from ${caller?.join(" and ")}`;
      setTimeout(() => res.end(answer), answer.length % 3);
    },
  });

async function post(agent: Agent, url: string, tenant: string, body: object): Promise<Partial<Work>> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { baggage: `tenant_id=${tenant}`, "content-type": "application/json" };
    request(url, { agent, method: "POST", headers }, resolve).on("error", reject).end(JSON.stringify(body));
  });
  return JSON.parse(await text(answer));
}

async function assertNoneCrosses(service: Service, agent: Agent): Promise<void> {
  const answers = Array.from({ length: requestCount }, async (_, id) => {
    const tenant = `t${id}`;
    if (id % 10 === 0) {
      const { places } = await post(agent, `${service.url}fail`, tenant, {});
      assert.deepEqual([...new Set(Object.values(places ?? {}))], [tenant]);
      assert.match(Object.keys(places ?? {}).join(), /error|filter/i);
      return;
    }
    const body = { via: clients[id % clients.length], text: "x".repeat(id * 500) };
    const answer = await post(agent, `${service.url}work`, tenant, body);
    assert.deepEqual(
      [...new Set(Object.values(answer.places ?? {}))],
      [tenant],
      JSON.stringify(answer.places),
    );
    assert.deepEqual(answer.body, body);
    assert.equal(answer.backend, `tenant_id=${tenant} from shop`, body.via);
  });
  await Promise.all(answers);
}

async function assertNoneCrossesPipelined(service: Service): Promise<void> {
  await using client = await rawClient(Number(new URL(service.url).port));
  const tenants = ["a", "b", "c", "d"];
  const body = JSON.stringify({ via: "http" });
  const packet = tenants.map((tenant, index) => {
    const last = index === tenants.length - 1 ? "connection: close\r\n" : "";
    const fields = `host: test\r\nbaggage: tenant_id=${tenant}\r\ncontent-type: application/json\r\n${last}`;
    return `POST /work HTTP/1.1\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`;
  });
  client.write(packet.join(""));
  await client.closed;
  const reached = [...client.received.toString().matchAll(/"backend":"([^"]*)"/g)].map(
    ([, backend]) => backend,
  );
  assert.deepEqual(
    reached,
    tenants.map((tenant) => `tenant_id=${tenant} from shop`),
  );
}

for (const framework of ["express", "fastify", "koa", "hono", "nest"]) {
  test(`${framework}: ${requestCount} requests at once, those that fail too, then pipelined ones: none sees or sends another's tenant`, async () => {
    await using backend = await startBackend();
    const app = `framework-${framework}.js`;
    await using service = await startService("shop", { app, env: { TARGET: backend.url } });
    const agent = new Agent({ keepAlive: true, maxSockets: connectionCount });
    await assertNoneCrosses(service, agent);
    agent.destroy();
    await assertNoneCrossesPipelined(service);
    const afterwards = await (await fetch(`${service.url}afterwards`)).json();
    assert.deepEqual((afterwards as { wrong: string[] }).wrong, []);
    assert.ok((afterwards as { count: number }).count >= requestCount * 0.9);
  });
}
