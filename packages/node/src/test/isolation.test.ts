import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { startUpstream, type Upstream } from "@clew/testing";
import { register } from "../api.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

const requestCount = 200;
/** Few enough that nearly all requests wait in a queue, and leave it in the scope of another. */
const connectionCount = 2;

type Send = (url: string) => Promise<string>;

/** Node's own undici, for which it has no other name. */
function dispatcherWithFewConnections(): object {
  const NodeAgent = Reflect.get(globalThis, globalDispatcher).constructor;
  return new NodeAgent({ connections: connectionCount });
}
const globalDispatcher = Symbol.for("undici.globalDispatcher.1");

const fetchText: Send = async (url) => (await fetch(url)).text();

async function getText(url: string, options: object): Promise<string> {
  const [response] = (await once(get(url, options), "response")) as [IncomingMessage];
  return text(response);
}

/** Answers with the tenant that reached it, a little later for some, so that the answers overtake each other. */
const startBackend = (): Promise<Upstream> =>
  startUpstream({
    handle: (req, res) => {
      const tenant = req.headersDistinct["baggage"]?.join(" and ");
      setTimeout(() => res.end(tenant), (tenant?.length ?? 0) % 3);
    },
  });

async function assertNoneCrosses(backend: Upstream, send: Send): Promise<void> {
  await using service = await startUpstream({
    handle: async (_req, res) => {
      const before = context.get("tenant_id");
      const reached = await send(backend.url);
      res.end(`${before}, ${reached}, ${context.get("tenant_id")}`);
    },
  });
  const answers = await Promise.all(
    Array.from({ length: requestCount }, (_, id) =>
      getText(service.url, { headers: { baggage: `tenant_id=t${id}` } }),
    ),
  );
  for (const [id, answer] of answers.entries()) {
    assert.equal(answer, `t${id}, tenant_id=t${id}, t${id}`);
  }
}

test(`${requestCount} requests at once, http with a keep-alive agent of ${connectionCount} sockets: none carries another's tenant`, async () => {
  await using backend = await startBackend();
  const agent = new Agent({ keepAlive: true, maxSockets: connectionCount });
  await assertNoneCrosses(backend, (url) => getText(url, { agent }));
  agent.destroy();
});

test(`${requestCount} requests at once, fetch: none carries another's tenant`, async () => {
  await using backend = await startBackend();
  await assertNoneCrosses(backend, fetchText);
});

test(`${requestCount} requests at once, fetch with a dispatcher of ${connectionCount} connections: none carries another's tenant`, async () => {
  await using backend = await startBackend();
  const dispatcher = dispatcherWithFewConnections();
  const send: Send = async (url) => (await fetch(url, { dispatcher } as RequestInit)).text();
  await assertNoneCrosses(backend, send);
});

test("the control, what is ambient where undici says that it creates a request, is another's: so the tests above would see it", async () => {
  await using upstream = await startUpstream({ handle: (req, res) => res.end(req.headers["x-ambient"]) });
  const addAmbient = (message: unknown): void => {
    const { request: created } = message as { request: { addHeader(name: string, value: string): void } };
    created.addHeader("x-ambient", String(context.get("tenant_id")));
  };
  subscribe("undici:request:create", addAmbient);
  const init = { dispatcher: dispatcherWithFewConnections() } as RequestInit;
  const tenants = Array.from({ length: 20 }, (_, id) => `t${id}`);
  const answers = await Promise.all(
    tenants.map((tenant_id) =>
      context.with({ tenant_id }, async () => (await fetch(upstream.url, init)).text()),
    ),
  );
  unsubscribe("undici:request:create", addAmbient);
  assert.notDeepEqual(answers, tenants);
});

test(`${requestCount} requests at once, a global dispatcher of ${connectionCount} connections: none carries another's tenant`, async () => {
  await using backend = await startBackend();
  const before = Reflect.get(globalThis, globalDispatcher);
  Reflect.set(globalThis, globalDispatcher, dispatcherWithFewConnections());
  try {
    await assertNoneCrosses(backend, fetchText);
  } finally {
    Reflect.set(globalThis, globalDispatcher, before);
  }
});

test("requests outside of any scope, queued behind those of a tenant, do not get its context", async () => {
  await using backend = await startBackend();
  const dispatcher = dispatcherWithFewConnections();
  const send: Send = async (url) => (await fetch(url, { dispatcher } as RequestInit)).text();
  const isTenant = (id: number): boolean => id < 10;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, id) =>
      isTenant(id) ? context.with({ tenant_id: "t1" }, () => send(backend.url)) : send(backend.url),
    ),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 20 }, (_, id) => (isTenant(id) ? "tenant_id=t1" : "")),
  );
});

test("a request created in one scope and written from another carries the context of the first", async () => {
  await using backend = await startBackend();
  const [own, none] = [context.with({ tenant_id: "t1" }, () => request(backend.url)), request(backend.url)];
  const answers = [once(own, "response"), once(none, "response")];
  context.with({ tenant_id: "t2" }, () => {
    own.end();
    none.end();
  });
  const texts = answers.map(async (answer) => text((await answer)[0]));
  assert.deepEqual(await Promise.all(texts), ["tenant_id=t1", ""]);
});
