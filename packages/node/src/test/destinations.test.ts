import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestOptions, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context, extractContext } from "@clew/context";
import { startUpstream, temporaryDirectory, type Upstream } from "@clew/testing";
import { register } from "../api.ts";
import { contextHeaders } from "./context-headers.ts";
import { listen } from "./listen.ts";

// The same listeners are reached by an internal and by an external name.
const registration = register({
  service: "test",
  warnMissing: false,
  destinations: { internal: ["127.0.0.1"], replace: true },
});
after(() => registration.disable());

const incoming: Record<string, string> = {
  baggage: "tenant_id=acme",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=1",
};
const sent = { ...incoming, "x-forrst-caller": "test" };

/** Serves one request that carries a context, and returns what came of `serve`. */
async function inRequest<T>(serve: () => Promise<T>): Promise<T> {
  let served: Promise<T> | undefined;
  await using upstream = await startUpstream({
    handle: (_req, res) => {
      served = serve();
      served.then(
        () => res.end(),
        () => res.end(),
      );
    },
  });
  const [response] = await once(request(upstream.url, { headers: incoming }).end(), "response");
  await text(response);
  return served as Promise<T>;
}

async function byHttp(options: RequestOptions): Promise<Record<string, string>> {
  const [response] = (await once(request(options).end(), "response")) as [IncomingMessage];
  return contextHeaders(JSON.parse(await text(response)).rawHeaders);
}

async function byFetch(url: string, init: RequestInit = {}): Promise<Record<string, string>> {
  const response = await fetch(url, init);
  return contextHeaders(((await response.json()) as { rawHeaders: string[] }).rawHeaders);
}

const externalUrl = (upstream: Upstream): string => `http://localhost:${upstream.port}`;

test("a third party gets nothing of a context, by http and by fetch; the same listener under an internal name all", async () => {
  await using upstream = await startUpstream();
  const { port, url } = upstream;
  await inRequest(async () => {
    assert.deepEqual(await byHttp({ host: "127.0.0.1", port }), sent);
    assert.deepEqual(await byFetch(url), sent);
    assert.deepEqual(await byHttp({ host: "localhost", port }), {});
    assert.deepEqual(await byHttp({ host: "127.0.0.1", hostname: "localhost", port }), {});
    assert.deepEqual(await byFetch(externalUrl(upstream)), {});
    assert.deepEqual(await byFetch(externalUrl(upstream), { headers: { host: "127.0.0.1" } }), {});
  });
});

test("fetch follows redirects from inside to a third party and back: each hop gets what it may have", async () => {
  await using last = await startUpstream();
  const seen: Record<string, string>[] = [];
  const redirectTo = (location: string): Promise<Upstream> =>
    startUpstream({
      handle: (req, res) => {
        seen.push(contextHeaders(req.rawHeaders));
        res.writeHead(307, { location }).end();
      },
    });
  await using outside = await redirectTo(last.url);
  await using inside = await redirectTo(externalUrl(outside));
  await inRequest(async () => seen.push(await byFetch(inside.url, { method: "POST", body: "x" })));
  assert.deepEqual(seen, [sent, {}, sent]);
});

test("a dispatcher that goes on to a third party by itself takes nothing of the context there", async () => {
  await using upstream = await startUpstream();
  await byFetch(upstream.url);
  const Agent = Reflect.get(globalThis, Symbol.for("undici.globalDispatcher.1")).constructor;
  class FollowingAgent extends Agent {
    dispatch(options: object, handler: object): boolean {
      return super.dispatch({ ...options, origin: externalUrl(upstream) }, handler);
    }
  }
  const init = { dispatcher: new FollowingAgent(), headers: { "x-own": "1" } };
  await inRequest(async () =>
    assert.deepEqual(await byFetch(upstream.url, init as unknown as RequestInit), {}),
  );
});

test("through a proxy, by absolute URL or by CONNECT, no third party gets a context", async () => {
  await using proxy = await startUpstream();
  const server = createServer().on("connect", (req, socket) => {
    socket.end(`HTTP/1.1 200 OK\r\n\r\n${JSON.stringify(contextHeaders(req.rawHeaders))}`);
  });
  await using tunnel = await listen(server);
  await inRequest(async () => {
    const options = { host: "127.0.0.1", port: proxy.port };
    assert.deepEqual(await byHttp({ ...options, path: "http://api.example.com/" }), {});
    assert.deepEqual(await byHttp({ ...options, path: "http://127.0.0.1:1/" }), sent);
    const path = "127.0.0.1:1";
    const connect = request({ ...options, port: tunnel.port, method: "CONNECT", path }).end();
    const [, socket, head] = await once(connect, "connect");
    assert.equal(head + (await text(socket)), "{}");
  });
});

test("a socket of the file system is internal", async () => {
  await using directory = await temporaryDirectory();
  const socketPath = join(directory.path, "socket");
  const server = createServer((req, res) => res.end(JSON.stringify({ rawHeaders: req.rawHeaders })));
  await using _listening = await listen(server, socketPath);
  await inRequest(async () => assert.deepEqual(await byHttp({ socketPath, host: "localhost" }), sent));
});

test("headers in every form that a client takes: the application's own win, none is doubled, nothing of its is changed", async () => {
  await using upstream = await startUpstream();
  const { port, url } = upstream;
  const expected = { ...sent, baggage: "mine=1" };
  const object = { Baggage: "mine=1" };
  await inRequest(async () => {
    const options = { host: "127.0.0.1", port };
    assert.deepEqual(await byHttp({ ...options, headers: object }), expected);
    assert.deepEqual(await byHttp({ ...options, headers: { ...object, expect: "100-continue" } }), expected);
    const flat = ["host", "test", "Baggage", "mine=1"];
    assert.deepEqual(await byHttp({ ...options, headers: flat }), expected);
    const pairs = [
      ["host", "test"],
      ["Baggage", "mine=1"],
    ];
    assert.deepEqual(await byHttp({ ...options, headers: pairs as unknown as string[] }), expected);
    assert.deepEqual(await byFetch(url, { headers: object }), expected);
    assert.deepEqual(await byFetch(url, { headers: Object.entries(object) as [string, string][] }), expected);
    assert.deepEqual(await byFetch(new Request(url, { headers: object }) as unknown as string), expected);
    assert.deepEqual([object, flat.length], [{ Baggage: "mine=1" }, 4]);
    const own = request({ ...options, headers: object }).on("error", () => {});
    own.flushHeaders();
    assert.deepEqual(Object.keys(own.getHeaders()).sort(), ["baggage", "host"]);
    own.destroy();
  });
});

test("a service that hands its incoming headers on does not pass its caller's name off as its own", async () => {
  await using upstream = await startUpstream();
  await inRequest(async () => {
    const headers: Record<string, string> = { ...incoming, "x-forrst-caller": "gateway" };
    await context.run(
      extractContext((name) => headers[name]),
      async () => {
        const options = { host: "127.0.0.1", port: upstream.port };
        assert.deepEqual(await byHttp({ ...options, headers }), sent);
        assert.deepEqual(
          await byHttp({ ...options, headers: ["host", "x", ...Object.entries(headers).flat()] }),
          sent,
        );
        assert.deepEqual(await byFetch(upstream.url, { headers }), sent);
      },
    );
  });
});
