// undici from npm, loaded before propagation; undici-loading.test.ts has it loaded after.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { json, text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context, emptyContext } from "@clew/context";
import { startUpstream, type Upstream } from "@clew/testing";
import * as undici from "undici";
import { register } from "../api.ts";
import { contextHeaders } from "./context-headers.ts";
import { listen } from "./listen.ts";

const registration = register({
  service: "test",
  warnMissing: false,
  destinations: { internal: ["127.0.0.1"], replace: true },
});
after(() => registration.disable());

type Sent = Record<string, string>;
type Answer = { rawHeaders: string[] };

const scoped = <T>(fn: () => T): T => context.with({ tenant_id: "acme" }, fn);
const sent: Sent = { baggage: "tenant_id=acme", "x-forrst-caller": "test" };
const external = (upstream: Upstream): string => `http://localhost:${upstream.port}`;

async function sentBy(response: Promise<undici.Dispatcher.ResponseData>): Promise<Sent> {
  return contextHeaders(((await (await response).body.json()) as Answer).rawHeaders);
}

/** Every way to make a request of an origin by a dispatcher. */
const clients: Readonly<Record<string, (origin: string, dispatcher: undici.Dispatcher) => Promise<Sent>>> = {
  request: (origin, dispatcher) => sentBy(undici.request(origin, { dispatcher })),
  "request of a dispatcher": (origin, dispatcher) =>
    sentBy(dispatcher.request({ origin, path: "/", method: "GET" })),
  async fetch(origin, dispatcher) {
    const response = await undici.fetch(origin, { dispatcher, method: "POST", body: "x" });
    return contextHeaders(((await response.json()) as Answer).rawHeaders);
  },
  async stream(origin, dispatcher) {
    const through = new PassThrough();
    const answer = json(through) as Promise<Answer>;
    await undici.stream(origin, { method: "GET", dispatcher }, () => through);
    return contextHeaders((await answer).rawHeaders);
  },
  async pipeline(origin, dispatcher) {
    const duplex = undici.pipeline(origin, { method: "POST", dispatcher }, ({ body }) => body);
    duplex.end("x");
    return contextHeaders(((await json(duplex)) as Answer).rawHeaders);
  },
  "fetch of Node": async (origin, dispatcher) => {
    const response = await fetch(origin, { dispatcher } as unknown as RequestInit);
    return contextHeaders(((await response.json()) as Answer).rawHeaders);
  },
};

for (const [name, send] of Object.entries(clients)) {
  test(`${name}: an internal host gets the context, by agent and pool; the same by an external name nothing`, async () => {
    await using upstream = await startUpstream();
    for (const origin of [upstream.url, external(upstream)]) {
      const agent = new undici.Agent();
      const pool = new undici.Pool(origin, { connections: 1 });
      const expected = origin === upstream.url ? sent : {};
      assert.deepEqual(await scoped(() => send(origin, agent)), expected);
      assert.deepEqual(await scoped(() => send(origin, pool)), expected);
      await Promise.all([agent.close(), pool.close()]);
    }
  });
}

for (const [name, create] of [
  ["Client", (origin: string) => new undici.Client(origin)],
  ["Pool", (origin: string) => new undici.Pool(origin)],
  ["BalancedPool", (origin: string) => new undici.BalancedPool(origin)],
] as const) {
  test(`${name}: a request that names no origin goes to the one of the ${name}, and is judged by it`, async () => {
    await using upstream = await startUpstream();
    for (const origin of [upstream.url, external(upstream)]) {
      const client = create(origin);
      const options = { path: "/", method: "GET" } as const;
      assert.deepEqual(
        await scoped(() => sentBy(client.request(options))),
        origin === upstream.url ? sent : {},
      );
      assert.deepEqual(Object.keys(options), ["path", "method"]);
      await client.close();
    }
  });
}

test("an agent's own factory makes a pool that looks at what it is given and sends it later: it sees the context, and sends it", async () => {
  await using upstream = await startUpstream();
  const seen: unknown[] = [];
  const factory = (origin: string | URL, options: object): undici.Pool => {
    const pool = new undici.Pool(origin, options);
    const dispatch = pool.dispatch.bind(pool);
    pool.dispatch = (given, handler) => {
      seen.push(given.headers);
      setImmediate(() => context.run(emptyContext, () => dispatch(given, Object.create(handler))));
      return true;
    };
    return pool;
  };
  const dispatcher = new undici.Agent({ factory });
  const options = { dispatcher, headers: { accept: "*/*" } };
  assert.deepEqual(await scoped(() => sentBy(undici.request(upstream.url, options))), sent);
  assert.deepEqual(seen, [{ accept: "*/*", ...sent }]);
  await dispatcher.close();
});

const tenants: readonly string[] = Array.from({ length: 60 }, (_, id) => `t${id}`);

/** Each sends one request of its own; what reached the other side, in the same order. */
async function reachedBy(send: (tenant: string) => Promise<string>): Promise<string[]> {
  return Promise.all(tenants.map((tenant_id) => context.with({ tenant_id }, () => send(tenant_id))));
}

/** Answers what came, the first time with an error, so that what can retry does so, from a timer. */
function startFlaky(): Promise<Upstream> {
  const seen = new Set<string | undefined>();
  return startUpstream({
    handle: (req, res) => {
      const isFirst = !seen.has(req.url);
      seen.add(req.url);
      res.writeHead(isFirst ? 503 : 200).end(`${req.headers["baggage"]}`);
    },
  });
}

const retryOptions = { minTimeout: 1, statusCodes: [503] };

for (const [name, create] of [
  ["a pool of two connections", () => new undici.Agent({ connections: 2 })],
  ["RetryAgent", () => new undici.RetryAgent(new undici.Agent({ connections: 2 }), retryOptions)],
  [
    "the retry interceptor",
    () => new undici.Agent({ connections: 2 }).compose(undici.interceptors.retry(retryOptions)),
  ],
] as const) {
  test(`${tenants.length} requests at once through ${name}: none carries another's tenant`, async () => {
    await using upstream = await startFlaky();
    const dispatcher = create();
    const reached = await reachedBy(async (tenant) => {
      const { body } = await undici.request(`${upstream.url}/${tenant}`, { dispatcher });
      return body.text();
    });
    assert.deepEqual(
      reached,
      tenants.map((tenant) => `tenant_id=${tenant}`),
    );
    await dispatcher.close();
  });
}

test(`${tenants.length} requests at once, each with a RetryHandler of its own: none carries another's tenant`, async () => {
  await using upstream = await startFlaky();
  const agent = new undici.Agent({ connections: 2 });
  const reached = await reachedBy(async (tenant) => {
    const through = new PassThrough();
    const options = { origin: upstream.url, path: `/${tenant}`, method: "GET", retryOptions } as const;
    const handler = {
      onRequestStart() {},
      onResponseStart() {},
      onResponseData: (_: unknown, chunk: Buffer) => void through.write(chunk),
      onResponseEnd: () => void through.end(),
      onResponseError: (_: unknown, error: Error) => void through.destroy(error),
    };
    const dispatch = agent.dispatch.bind(agent);
    dispatch(options, new undici.RetryHandler(options, { dispatch, handler }));
    return text(through);
  });
  assert.deepEqual(
    reached,
    tenants.map((tenant) => `tenant_id=${tenant}`),
  );
  await agent.close();
});

test("a redirect that an interceptor follows to a third party takes nothing of the context there", async () => {
  await using outside = await startUpstream();
  await using inside = await startUpstream({
    handle: (_req, res) => res.writeHead(302, { location: external(outside) }).end(),
  });
  const agent = new undici.Agent();
  const dispatcher = agent.compose(undici.interceptors.redirect({ maxRedirections: 1 }));
  assert.deepEqual(await scoped(() => sentBy(undici.request(inside.url, { dispatcher }))), {});
  await agent.close();
});

test("an interceptor sees what is sent, may change it, and composing keeps its order", async () => {
  await using upstream = await startUpstream();
  const seen: unknown[] = [];
  const see =
    (name: string): undici.Dispatcher.DispatcherComposeInterceptor =>
    (dispatch) =>
    (options, handler) => {
      const headers = options.headers as Record<string, string>;
      seen.push([name, headers["x-forrst-caller"]]);
      return dispatch({ ...options, headers: { ...headers, "x-forrst-caller": name } }, handler);
    };
  const agent = new undici.Agent();
  const dispatcher = agent.compose(see("inner"), see("outer"));
  const expected = { ...sent, "x-forrst-caller": "inner" };
  assert.deepEqual(await scoped(() => sentBy(undici.request(upstream.url, { dispatcher }))), expected);
  assert.deepEqual(seen, [
    ["outer", "test"],
    ["inner", "outer"],
  ]);
  assert.throws(() => agent.compose("no interceptor" as never), TypeError);
  await agent.close();
});

test("MockAgent answers in the place of hosts, and lets through what it has no answer for", async () => {
  await using upstream = await startUpstream();
  const mock = new undici.MockAgent();
  mock.enableNetConnect();
  mock
    .get("http://127.0.0.1:1")
    .intercept({ path: "/", headers: { accept: "x" } })
    .reply(200, "mocked");
  const options = { dispatcher: mock, headers: { accept: "x" } };
  const answer = await scoped(() => undici.request("http://127.0.0.1:1/", options));
  assert.equal(await answer.body.text(), "mocked");
  assert.deepEqual(await scoped(() => sentBy(undici.request(upstream.url, { dispatcher: mock }))), sent);
  await mock.close();
});

test("through a proxy, by tunnel or by absolute URL, no third party gets a context", async () => {
  const connects: Sent[] = [];
  await using upstream = await startUpstream();
  const server = createServer((req, res) => res.end(JSON.stringify({ rawHeaders: req.rawHeaders })));
  server.on("connect", (req, socket) => {
    connects.push(contextHeaders(req.rawHeaders));
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    server.emit("connection", socket);
  });
  await using proxy = await listen(server);
  for (const proxyTunnel of [true, false]) {
    const dispatcher = new undici.ProxyAgent({ uri: `http://127.0.0.1:${proxy.port}`, proxyTunnel });
    assert.deepEqual(await scoped(() => sentBy(undici.request(upstream.url, { dispatcher }))), sent);
    assert.deepEqual(await scoped(() => sentBy(undici.request(external(upstream), { dispatcher }))), {});
    await dispatcher.close();
  }
  assert.deepEqual(connects, [{}, {}]);
});

test("what undici refuses, it refuses in its own words", async () => {
  const agent = new undici.Agent();
  const send = (options: object): Promise<unknown> => scoped(() => agent.request(options as never));
  await assert.rejects(send({ origin: "http://127.0.0.1:1", path: "/", method: "GET", headers: 5 }), {
    code: "UND_ERR_INVALID_ARG",
  });
  await assert.rejects(send({ origin: "nowhere", path: "/", method: "GET" }));
  await assert.rejects(send({ path: "/", method: "GET" }), { code: "UND_ERR_INVALID_ARG" });
  await agent.close();
});
