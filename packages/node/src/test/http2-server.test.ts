import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
} from "node:http2";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { register } from "../api.ts";
import { answerTo, http2Pair } from "./http2-pair.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

/** Which tenants were ambient in which place. */
type Sightings = Map<string, Set<unknown>>;

function look(sightings: Sightings, place: string): () => void {
  return () => {
    const seen = sightings.get(place) ?? new Set();
    sightings.set(place, seen.add(context.get("tenant_id")));
  };
}

function watch(sightings: Sightings, name: string, emitter: EventEmitter, events: readonly string[]): void {
  for (const event of events) emitter.on(event, look(sightings, `${name} ${event}`));
}

const tenants: readonly string[] = Array.from({ length: 20 }, (_, id) => `t${id}`);

/** One request for each tenant, all at once on one session, with bodies in two pieces so that they interleave. */
async function sendForAll(session: ClientHttp2Session): Promise<void> {
  const streams = tenants.map((tenant) =>
    session.request({ ":method": "POST", baggage: `tenant_id=${tenant}` }, { endStream: false }),
  );
  for (const stream of streams) stream.write("1");
  await Promise.all(streams.map((stream) => answerTo(stream, "2")));
}

function assertEachSawItsOwn(sightings: Sightings, placeCount: number): void {
  assert.equal(sightings.size, placeCount, [...sightings.keys()].join());
  for (const [place, seen] of sightings) assert.deepEqual([...seen].sort(), tenants.toSorted(), place);
}

test("streams that share a session: every callback of each has its own context", async () => {
  const sightings: Sightings = new Map();
  const closed: Promise<unknown>[] = [];
  const server = createServer().on("stream", async (stream: ServerHttp2Stream) => {
    look(sightings, "handler")();
    watch(sightings, "stream", stream, ["data", "end", "wantTrailers", "finish", "close"]);
    closed.push(once(stream, "close"));
    stream.respond({}, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-trailer": "1" }));
    await once(stream, "end");
    look(sightings, "promise")();
    stream.write("do", look(sightings, "written"));
    setTimeout(() => stream.end("ne"), 1);
  });
  await using pair = await http2Pair(server);
  await sendForAll(pair.session);
  await Promise.all(closed);
  assertEachSawItsOwn(sightings, 8);
});

test("requests and responses of the compatibility API: every callback of each has its own context", async () => {
  const sightings: Sightings = new Map();
  const closed: Promise<unknown>[] = [];
  const server = createServer(async (req, res) => {
    look(sightings, "handler")();
    watch(sightings, "request", req, ["data", "end", "close"]);
    watch(sightings, "response", res, ["finish", "close"]);
    closed.push(once(res, "close"));
    assert.match(await text(req), /^12$/);
    look(sightings, "for await")();
    setTimeout(() => res.end("done", look(sightings, "ended")), 1);
  });
  await using pair = await http2Pair(server);
  await sendForAll(pair.session);
  await Promise.all(closed);
  assertEachSawItsOwn(sightings, 8);
});

test("a client that goes away: what a server is told of that has the context of the request", async () => {
  const sightings: Sightings = new Map();
  const closed: Promise<unknown>[] = [];
  const server = createServer((req: Http2ServerRequest, res: Http2ServerResponse) => {
    watch(sightings, "request", req, ["aborted", "close"]);
    watch(sightings, "response", res, ["close"]);
    watch(sightings, "stream", req.stream, ["aborted", "close"]);
    closed.push(once(req.stream, "close"));
    res.write("…");
  });
  await using pair = await http2Pair(server);
  for (const tenant of tenants) {
    const stream = pair.session.request({ ":method": "POST", baggage: `tenant_id=${tenant}` });
    stream.on("error", () => {});
    await once(stream, "response");
    stream.destroy();
  }
  await Promise.all(closed);
  assertEachSawItsOwn(sightings, 5);
});

test("a stream without context has an empty one, and inherits nothing from those beside it or from where it listens", async () => {
  const server = createServer((_req, res) => {
    const current = context.current();
    res.end(`${current?.size} ${current?.caller}`);
  });
  const pair = context.with({ tenant_id: "of the listener" }, () => http2Pair(server));
  await using open = await pair;
  const raw = connect(open.url);
  // As from a process that carries nothing: what this one adds is taken for set by the application.
  const bare = { "x-forrst-caller": "someone" };
  const answers = [{ baggage: "tenant_id=a" }, bare].map((headers) => answerTo(raw.request(headers)));
  assert.deepEqual(await Promise.all(answers), ["1 test", "0 someone"]);
  raw.destroy();
});

test("a request that expects 100 Continue, and one by CONNECT, have their context", async () => {
  const seen: unknown[] = [];
  const server = createServer((_req, res) => res.end());
  server.on("checkContinue", (_req: Http2ServerRequest, res: Http2ServerResponse) => {
    seen.push(context.get("tenant_id"));
    res.writeContinue();
    res.end();
  });
  server.on("connect", (_req: Http2ServerRequest, res: Http2ServerResponse) => {
    seen.push(context.get("tenant_id"));
    res.end();
  });
  await using pair = await http2Pair(server);
  await once(pair.session, "remoteSettings");
  await pair.send({ expect: "100-continue", baggage: "tenant_id=a" });
  await pair.send({ ":method": "CONNECT", ":authority": "test:80", baggage: "tenant_id=b" });
  assert.deepEqual(seen, ["a", "b"]);
});

test("a pushed stream leaves as the application made it", async () => {
  const server = createServer().on("stream", (stream: ServerHttp2Stream) => {
    stream.pushStream({ ":path": "/pushed" }, (error, pushed) => {
      assert.ifError(error);
      assert.equal(context.get("tenant_id"), "a");
      pushed.respond();
      pushed.end("pushed");
    });
    stream.respond();
    stream.end();
  });
  await using pair = await http2Pair(server);
  const pushes = once(pair.session, "stream");
  await pair.send({ baggage: "tenant_id=a" });
  const [pushed, headers] = await pushes;
  assert.deepEqual(Object.keys(headers), [":path", ":method", ":authority", ":scheme"]);
  assert.equal(await text(pushed), "pushed");
});

test("a secure server that speaks HTTP/1 as well: both have their context, and both clients carry it", async () => {
  const psk = { psk: Buffer.alloc(32, 7), identity: "test" };
  const tls = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const;
  const server = createSecureServer(
    { ...tls, allowHTTP1: true, pskCallback: () => psk.psk },
    async (req, res) => {
      const tenant = context.get("tenant_id");
      await text(req);
      res.end(`${req.httpVersion} ${tenant} ${context.get("tenant_id")} ${context.current()?.caller}`);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const options = { ...tls, pskCallback: () => psk, checkServerIdentity: () => undefined };
  const session = connect(`https://127.0.0.1:${port}`, options);
  const answers = await context.with({ tenant_id: "a" }, async () => {
    const [response] = await once(
      https.get({ ...options, port, host: "127.0.0.1", agent: false }),
      "response",
    );
    return [await text(response), await answerTo(session.request())];
  });
  session.destroy();
  server.close();
  await once(server, "close");
  assert.deepEqual(answers, ["1.1 a a test", "2.0 a a test"]);
});
