import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Http2Server, type OutgoingHttpHeaders, sensitiveHeaders } from "node:http2";
import { after, test } from "node:test";
import { context, contextHeaderNames, extractContext } from "@clew/context";
import { register } from "../api.ts";
import { answerTo, http2Pair } from "./http2-pair.ts";

// The same listener is reached by an internal and by an external name.
const registration = register({
  service: "test",
  warnMissing: false,
  destinations: { internal: ["127.0.0.1"], replace: true },
});
after(() => registration.disable());

const incoming = {
  baggage: "tenant_id=acme",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=1",
  "x-forrst-caller": "gateway",
};
const sent = { ...incoming, "x-forrst-caller": "test" };

/** Runs `serve` as if a request with a context were being served. */
const inRequest = <T>(serve: () => T): T =>
  context.run(
    extractContext((name) => Reflect.get(incoming, name)),
    serve,
  );

/** Answers with the headers of a context that came; a doubled one shows, as Node joins them. */
const echo = (): Http2Server =>
  createServer((req, res) => {
    const found = contextHeaderNames.filter((name) => name in req.headers);
    res.end(JSON.stringify(Object.fromEntries(found.map((name) => [name, req.headers[name]]))));
  });

test("a third party gets nothing of a context; the same listener under an internal name all", async () => {
  await using inside = await http2Pair(echo());
  await using outside = await http2Pair(echo(), "localhost");
  await inRequest(async () => {
    assert.deepEqual(JSON.parse(await inside.send()), sent);
    assert.deepEqual(JSON.parse(await inside.send({ ":authority": "127.0.0.1:80" })), sent);
    assert.deepEqual(JSON.parse(await inside.send({ ":authority": "api.example.com" })), {});
    assert.deepEqual(JSON.parse(await outside.send()), {});
    assert.deepEqual(JSON.parse(await outside.send({ ":authority": "127.0.0.1" })), {});
  });
});

test("CONNECT, plain or for another protocol, is left as it is", async () => {
  const server = createServer({ settings: { enableConnectProtocol: true } });
  const seen: OutgoingHttpHeaders[] = [];
  server.on("stream", (stream, headers) => {
    seen.push(headers);
    stream.respond();
    stream.end();
  });
  await using pair = await http2Pair(server);
  await once(pair.session, "remoteSettings");
  await inRequest(async () => {
    await pair.send({ ":method": "CONNECT", ":authority": "127.0.0.1:80" });
    await pair.send({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/" });
  });
  for (const headers of seen)
    assert.deepEqual(
      contextHeaderNames.filter((name) => name in headers),
      [],
    );
  assert.equal(seen.length, 2);
});

test("headers in every form that a client takes: the application's own win, and nothing of its is changed", async () => {
  await using pair = await http2Pair(echo());
  const own = { Baggage: "mine=1" };
  const secret = { authorization: "x", [sensitiveHeaders]: ["authorization"] };
  await inRequest(async () => {
    assert.deepEqual(JSON.parse(await pair.send(own)), { ...sent, baggage: "mine=1" });
    assert.deepEqual(own, { Baggage: "mine=1" });
    assert.deepEqual(JSON.parse(await pair.send({ ...incoming })), sent);
    const { tracestate: _, ...others } = sent;
    assert.deepEqual(JSON.parse(await pair.send({ traceparent: "mine" })), {
      ...others,
      traceparent: "mine",
    });
    assert.deepEqual(JSON.parse(await pair.send(undefined)), sent);
    const stream = pair.session.request(secret);
    assert.deepEqual(JSON.parse(await answerTo(stream)), sent);
    assert.deepEqual(Reflect.get(stream.sentHeaders, sensitiveHeaders), ["authorization"]);
  });
});

const takesLists = Number.parseInt(process.versions.node, 10) >= 22;

test("headers as a list, which Node takes since 22: the application's own win", {
  skip: !takesLists,
}, async () => {
  await using pair = await http2Pair(echo());
  const list = [":path", "/", "Baggage", "mine=1"] as const;
  await inRequest(async () => {
    assert.deepEqual(JSON.parse(await answerTo(pair.session.request(list))), { ...sent, baggage: "mine=1" });
  });
});

test("requests queued on a session that is still connecting: each carries its own context and is called back in it", async () => {
  await using pair = await http2Pair(echo());
  const tenants = Array.from({ length: 50 }, (_, id) => `t${id}`);
  const request = (tenant_id: string): Promise<unknown[]> =>
    context.with({ tenant_id }, async () => {
      const stream = pair.session.request();
      const seen = new Set<unknown>();
      for (const event of ["ready", "response", "data", "end", "close"]) {
        stream.on(event, () => seen.add(`${event} ${context.get("tenant_id")}`));
      }
      const answer = JSON.parse(await answerTo(stream));
      await once(stream, "close");
      return [answer.baggage, ...seen];
    });
  for (const [id, seen] of (await Promise.all(tenants.map(request))).entries()) {
    const events = ["ready", "response", "data", "end", "close"].map((event) => `${event} t${id}`);
    assert.deepEqual(seen, [`tenant_id=t${id}`, ...events]);
  }
});

test("a session that one request has opened hands its context on to nothing that comes after", async () => {
  const server = echo();
  const seen: unknown[] = [];
  await using pair = await context.with({ tenant_id: "opener" }, async () => {
    const opened = await http2Pair(server);
    opened.session.on("connect", () => seen.push(context.current()));
    return opened;
  });
  const outside = pair.session.request();
  outside.on("response", () => seen.push(context.current()));
  assert.deepEqual(JSON.parse(await answerTo(outside)), { "x-forrst-caller": "test" });
  assert.deepEqual(seen, [undefined, undefined]);
});

test("errors that a session throws or a stream reports stay what they are", async () => {
  await using pair = await http2Pair(echo());
  await once(pair.session, "connect");
  assert.throws(() => pair.session.request({ ":unknown": "1" }), { code: "ERR_HTTP2_INVALID_PSEUDOHEADER" });
  assert.throws(() => pair.session.request("headers" as never), { code: "ERR_INVALID_ARG_TYPE" });
  const aborted = pair.session.request({}, { signal: AbortSignal.abort() });
  assert.equal((await once(aborted, "error").catch((error) => [error]))[0].name, "AbortError");
});
