import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { freePort, rawExchange, startUpstream, until } from "@clew/testing";
import { type ClientOptions, createClient, type ForrstClient } from "../client/create-client.ts";
import { defineFunction } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import { createServer } from "../server/create-server.ts";
import { anything, deferred, isNumber, isText, listen, nothing, number, object } from "./fixtures.ts";

const version = "1.0.0";
const add = defineFunction({
  name: "numbers.add",
  version,
  arguments: object<{ a: number; b: number }>({ a: isNumber, b: isNumber }),
  result: number,
});
const fail = defineFunction({ name: "test.fail", version, arguments: nothing, result: anything });

function client(url: string, options: Partial<ClientOptions> = {}): ForrstClient & Disposable {
  const created = createClient({ url, service: "tests", ...options });
  return { ...created, [Symbol.dispose]: () => created.close() };
}

const rejection = async (promise: Promise<unknown>): Promise<RpcError> => {
  const error = await promise.then(
    () => assert.fail("the call succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RpcError, String(error));
  return error;
};

test("a call is answered, and calls share a kept connection", async () => {
  await using service = await listen(createServer({ service: "a" }).implement(add, ({ a, b }) => a + b));
  using caller = client(service.url);
  assert.equal(await caller.call(add, { a: 1, b: 2 }), 3);
  assert.equal(await caller.call(add, { a: 3, b: 4 }), 7);
  assert.equal(service.sockets.size, 1);
});

test("a handler's refusal arrives whole: code, message, details, source, hint, retryable", async () => {
  const refusal = new RpcError("E_TEST", "no", {
    details: { owner: "anna" },
    source: { pointer: "/call/arguments/x" },
    hint: "ask anna",
    retryable: true,
  });
  await using service = await listen(
    createServer({ service: "a" }).implement(fail, () => {
      throw refusal;
    }),
  );
  using caller = client(service.url);
  const { code, message, details, source, hint, retryable, status } = await rejection(caller.call(fail, {}));
  assert.deepEqual(
    { code, message, details, source, hint, retryable, status },
    {
      code: "E_TEST",
      message: "no",
      details: { owner: "anna" },
      source: { pointer: "/call/arguments/x" },
      hint: "ask anna",
      retryable: true,
      status: 503,
    },
  );
});

test("several violations arrive in one error", async () => {
  await using service = await listen(createServer({ service: "a" }).implement(add, ({ a, b }) => a + b));
  using caller = client(service.url);
  const error = await rejection(caller.call(add, {} as never));
  assert.equal(error.code, "INVALID_ARGUMENTS");
  assert.deepEqual(
    error.errors.map(({ source }) => source?.pointer),
    ["/call/arguments/a", "/call/arguments/b"],
  );
});

test("an unexpected error shows the client nothing of itself, and the server's hook everything", async () => {
  const seen: unknown[] = [];
  const secret = new Error("password is hunter2");
  const server = createServer({
    service: "a",
    onInternalError: (error, call) => seen.push(error, call.function),
  });
  server.implement(fail, () => {
    throw secret;
  });
  await using service = await listen(server);
  using caller = client(service.url);
  const error = await rejection(caller.call(fail, {}));
  assert.equal(error.code, "INTERNAL_ERROR");
  assert.equal(JSON.stringify(error.errors).includes("hunter2"), false);
  assert.deepEqual(seen, [secret, "test.fail"]);
});

test("`rescue` turns a service's own errors into answers", async () => {
  const rescue = (error: unknown): RpcError | undefined =>
    error instanceof RangeError ? new RpcError("NOT_FOUND", error.message) : undefined;
  await using service = await listen(
    createServer({ service: "a", rescue }).implement(fail, () => {
      throw new RangeError("no such order");
    }),
  );
  using caller = client(service.url);
  const error = await rejection(caller.call(fail, {}));
  assert.deepEqual([error.code, error.status, error.message], ["NOT_FOUND", 404, "no such order"]);
});

test("a hook that throws costs one connection, not the process", async () => {
  const server = createServer({
    service: "a",
    onInternalError: () => {
      throw new Error("hook");
    },
  });
  server.implement(add, ({ a, b }) => a + b).implement(fail, () => Promise.reject(new Error("x")));
  await using service = await listen(server);
  using caller = client(service.url);
  assert.equal((await rejection(caller.call(fail, {}))).code, "UNAVAILABLE");
  assert.equal(await caller.call(add, { a: 1, b: 1 }), 2);
});

test("a result that is not JSON, or breaks a checked contract, is the server's own failure", async () => {
  const server = createServer({ service: "a", checkResults: true });
  const circular: { self?: unknown } = {};
  circular.self = circular;
  server.implement(fail, () => circular).implement(add, () => "three" as never);
  await using service = await listen(server);
  using caller = client(service.url);
  assert.equal((await rejection(caller.call(fail, {}))).code, "INTERNAL_ERROR");
  assert.equal((await rejection(caller.call(add, { a: 1, b: 2 }))).code, "INTERNAL_ERROR");
});

test("an answer that breaks the client's contract is named with its place", async () => {
  await using service = await listen(createServer({ service: "a" }).implement(add, () => "three" as never));
  using caller = client(service.url);
  const error = await rejection(caller.call(add, { a: 1, b: 2 }));
  assert.equal(error.code, "E_RPC_RESULT");
  assert.match(error.message, /numbers\.add/);
});

test("`admit` answers before the body is read, and the token reaches the handler", async () => {
  const whoami = defineFunction({ name: "test.whoami", version, arguments: nothing, result: anything });
  const server = createServer({
    service: "a",
    admit(request) {
      if (request.headers.authorization === undefined)
        throw new RpcError("UNAUTHORIZED", "a token is needed");
    },
  });
  server.implement(whoami, (_, call) => [call.token, call.remoteAddress, call.context.caller, call.version]);
  await using service = await listen(server);
  using stranger = client(service.url);
  using known = client(service.url, { token: "t0ken" });
  assert.equal((await rejection(stranger.call(whoami, {}))).status, 401);
  assert.deepEqual(await known.call(whoami, {}), ["t0ken", "127.0.0.1", "tests", "1.0.0"]);
});

test("other methods, types, encodings and sizes are refused with the status that says so", async () => {
  await using service = await listen(createServer({ service: "a", limits: { maxBodyBytes: 1_000 } }));
  const send = async (init: RequestInit): Promise<[number, string | null, unknown]> => {
    const response = await fetch(service.url, init);
    const { errors } = (await response.json()) as { errors: Array<{ code: string }> };
    return [response.status, response.headers.get("allow"), errors[0]?.code];
  };
  const json = { "content-type": "application/json; charset=utf-8" };
  const post = (body: string, headers: Record<string, string> = json) =>
    send({ method: "POST", body, headers });
  assert.deepEqual(await send({ method: "GET" }), [405, "POST", "INVALID_REQUEST"]);
  assert.deepEqual(await post("{}", { "content-type": "text/plain" }), [415, null, "INVALID_REQUEST"]);
  assert.deepEqual(await post("{}", { ...json, "content-encoding": "gzip" }), [415, null, "INVALID_REQUEST"]);
  assert.deepEqual(await post(" ".repeat(1_001)), [413, null, "INVALID_REQUEST"]);
  assert.deepEqual(await post(" ".repeat(100_000)), [413, null, "INVALID_REQUEST"]);
  assert.deepEqual(await post(" ".repeat(1_000)), [400, null, "PARSE_ERROR"]);
});

test("a body without a declared end is cut off at its limit", async () => {
  await using service = await listen(createServer({ service: "a", limits: { maxBodyBytes: 1_000 } }));
  const chunk = `${(10_000).toString(16)}\r\n${" ".repeat(10_000)}\r\n`;
  const head =
    "POST /forrst HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
  const answer = await rawExchange(Number(new URL(service.url).port), head + chunk);
  assert.match(answer.toString(), /^HTTP\/1\.1 413 .*connection: close/is);
});

test("a handler sees that its client went away", async () => {
  const wait = defineFunction({ name: "test.wait", version, arguments: nothing, result: anything });
  const abort = new AbortController();
  const { promise: gone, resolve: sawAbort } = deferred();
  const server = createServer({ service: "a" }).implement(wait, async (_, call) => {
    abort.abort(new Error("changed my mind"));
    await once(call.signal, "abort");
    sawAbort();
  });
  await using service = await listen(server);
  using caller = client(service.url);
  await assert.rejects(caller.call(wait, {}, { signal: abort.signal }), /changed my mind/);
  await gone;
});

test("closing a client lets go of its connections, but not of a call under way", async () => {
  const slow = defineFunction({ name: "test.slow", version, arguments: nothing, result: anything });
  const entered = deferred();
  const released = deferred();
  const server = createServer({ service: "a" }).implement(slow, async () => {
    entered.resolve();
    await released.promise;
    return "done";
  });
  await using service = await listen(server);
  const caller = client(service.url);
  const running = caller.call(slow, {});
  await entered.promise;
  caller.close();
  released.resolve();
  assert.equal(await running, "done");
  await until(() => service.sockets.size === 0);
});

test("a call that takes too long ends with DEADLINE_EXCEEDED and names where", async () => {
  await using silent = await startUpstream({ fault: "hold" });
  using caller = client(silent.url);
  const error = await rejection(caller.call(add, { a: 1, b: 2 }, { timeoutMs: 20 }));
  assert.equal(error.code, "DEADLINE_EXCEEDED");
  assert.ok(error.message.includes(silent.url));
});

test("a refused connection is UNAVAILABLE, retryable, and names the URL", async () => {
  const port = await freePort();
  using caller = client(`http://127.0.0.1:${port}/forrst`);
  const error = await rejection(caller.call(add, { a: 1, b: 2 }));
  assert.deepEqual([error.code, error.retryable], ["UNAVAILABLE", true]);
  assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}/forrst`));
  assert.match(error.hint ?? "", /running/);
});

test("an answer that is not Forrst is named with its URL and status", async () => {
  let status = 502;
  await using proxy = await startUpstream({
    handle: (_, response) => response.writeHead(status, { "content-type": "text/html" }).end("<h1>no</h1>"),
  });
  using caller = client(proxy.url);
  const bad = await rejection(caller.call(add, { a: 1, b: 2 }));
  assert.deepEqual([bad.code, bad.retryable, bad.details], ["E_RPC_NOT_FORRST", true, { status: 502 }]);
  assert.ok(bad.message.includes(proxy.url) && bad.message.includes("502"));
  status = 200;
  assert.equal((await rejection(caller.call(add, { a: 1, b: 2 }))).retryable, false);
  status = 401;
  assert.equal((await rejection(caller.call(add, { a: 1, b: 2 }))).code, "UNAUTHORIZED");
});

test("an answer to another request is not taken", async () => {
  await using confused = await startUpstream({
    handle: (_, response) =>
      response.end('{"protocol":{"name":"forrst","version":"0.1.0"},"id":"x","result":3}'),
  });
  using caller = client(confused.url);
  assert.equal((await rejection(caller.call(add, { a: 1, b: 2 }))).code, "E_RPC_NOT_FORRST");
});

test("a kept connection that died is replaced for what may be repeated, and only for that", async () => {
  const server = createServer({ service: "a" }).implement(add, ({ a, b }) => a + b);
  await using upstream = await startUpstream({
    handle: (request, response) => server.handle(request, response),
  });
  using caller = client(upstream.url);
  const repeatable = { ...add, idempotent: true };
  assert.equal(await caller.call(repeatable, { a: 1, b: 2 }), 3);
  upstream.fault = "reset-when-reused";
  assert.equal(await caller.call(repeatable, { a: 1, b: 2 }), 3);
  assert.equal((await rejection(caller.call(add, { a: 1, b: 2 }))).code, "UNAVAILABLE");
});

test("more calls at once than allowed are refused, not queued without end", async () => {
  await using silent = await startUpstream({ fault: "hold" });
  using caller = client(silent.url, { maxCalls: 1, timeoutMs: 50 });
  const first = rejection(caller.call(add, { a: 1, b: 2 }));
  const second = await rejection(caller.call(add, { a: 1, b: 2 }));
  assert.deepEqual([second.code, (await first).code], ["UNAVAILABLE", "DEADLINE_EXCEEDED"]);
});

test("a closing server refuses new calls and waits for those under way", async () => {
  const slow = defineFunction({
    name: "test.slow",
    version,
    arguments: object({ x: isText }),
    result: anything,
  });
  const entered = deferred();
  const released = deferred();
  const server = createServer({ service: "a" }).implement(slow, async () => {
    entered.resolve();
    await released.promise;
    return "done";
  });
  await using service = await listen(server);
  using caller = client(service.url);
  const running = caller.call(slow, { x: "" });
  await entered.promise;
  let isClosed = false;
  const closed = server.close().then(() => (isClosed = true));
  assert.equal((await rejection(caller.call(slow, { x: "" }))).code, "UNAVAILABLE");
  assert.equal(isClosed, false);
  released.resolve();
  assert.equal(await running, "done");
  await closed;
});

test("contracts and options that cannot work are refused when they are made", () => {
  const server = createServer({ service: "a" }).implement(add, () => 0);
  const made = (fn: () => unknown, code: string): void => assert.throws(fn, { code });
  made(() => server.implement(add, () => 0), "E_RPC_CONTRACT");
  made(() => defineFunction({ ...add, name: "add" }), "E_RPC_CONTRACT");
  made(() => defineFunction({ ...add, name: "forrst.add" }), "E_RPC_CONTRACT");
  made(() => defineFunction({ ...add, version: "1" }), "E_RPC_CONTRACT");
  made(() => createClient({ url: "ftp://x", service: "a" }), "E_RPC_OPTIONS");
  made(() => createClient({ url: "http://x", service: "a b" }), "E_RPC_OPTIONS");
  made(() => createClient({ url: "http://x", service: "a", token: "x\r\ny" }), "E_RPC_OPTIONS");
});
