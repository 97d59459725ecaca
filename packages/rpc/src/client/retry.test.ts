import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction, defineStream } from "../contract.ts";
import { createDefaultExtensions } from "../extensions/default-extensions.ts";
import { createIdempotencyExtension } from "../extensions/idempotency/idempotency.ts";
import { createMemoryIdempotencyStore } from "../extensions/idempotency/memory-store.ts";
import { RpcError } from "../rpc-error.ts";
import { createServer } from "../server/create-server.ts";
import { anything, type Listening, listen, nothing } from "../test/fixtures.ts";
import { type ClientOptions, createClient, type ForrstClient } from "./create-client.ts";
import type { Interceptor } from "./outgoing-call.ts";

const common = { version: "1.0.0", arguments: nothing, result: anything };
const streams = { version: "1.0.0", arguments: nothing, event: anything };
const read = defineFunction({ ...common, name: "a.read", idempotent: true });
const write = defineFunction({ ...common, name: "a.write" });

/** Both functions fail with these errors in turn, then answer how often they were called. */
async function serve(...errors: RpcError[]): Promise<Listening & { readonly calls: () => number }> {
  let calls = 0;
  const handler = (): number => {
    const error = errors[calls++];
    if (error !== undefined) throw error;
    return calls;
  };
  const store = createMemoryIdempotencyStore();
  const extensions = [...createDefaultExtensions(), createIdempotencyExtension({ store })];
  const server = createServer({ service: "a", onContextFault: () => {}, extensions });
  const listening = await listen(server.implement(read, handler).implement(write, handler));
  return Object.assign(listening, { calls: () => calls });
}

function clientOf(url: string, options: Partial<ClientOptions> = {}): ForrstClient & Disposable {
  const client = createClient({ url, service: "tests", retry: { baseDelayMs: 1 }, ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

const busy = (): RpcError => new RpcError("UNAVAILABLE", "busy");

test("what may be repeated is, after a retryable error: by contract, or with an idempotency key", async () => {
  await using one = await serve(busy(), busy());
  using toOne = clientOf(one.url);
  assert.equal(await toOne.call(read, {}), 3);
  await using two = await serve(busy(), busy());
  using toTwo = clientOf(two.url);
  assert.equal(await toTwo.call(write, {}, { idempotencyKey: "k" }), 3);
});

test("what may not be repeated, or failed for good, is called once", async () => {
  await using one = await serve(busy());
  using toOne = clientOf(one.url);
  await assert.rejects(toOne.call(write, {}), { code: "UNAVAILABLE" });
  assert.equal(one.calls(), 1);
  await using two = await serve(new RpcError("E_NEVER", "no"));
  using toTwo = clientOf(two.url);
  await assert.rejects(toTwo.call(read, {}), { code: "E_NEVER" });
  assert.equal(two.calls(), 1);
});

test("a server that goes on failing gets as many attempts as allowed, and the last error is told", async () => {
  await using service = await serve(busy(), busy(), new RpcError("UNAVAILABLE", "third"), busy());
  using client = clientOf(service.url);
  await assert.rejects(client.call(read, {}), { message: /third/ });
  assert.equal(service.calls(), 3);
});

test("the budget bounds what retries add to the calls of a client that always fails", async () => {
  await using service = await serve(...Array.from({ length: 1_000 }, busy));
  using client = clientOf(service.url);
  for (let i = 0; i < 100; i++) await assert.rejects(client.call(read, {}));
  // Ten saved ones, and a tenth of a hundred.
  assert.ok(service.calls() >= 118 && service.calls() <= 121, String(service.calls()));
});

test("a server's wish to be left alone is heeded, and one that outlasts the deadline ends the call at once", async () => {
  const later = new RpcError("RATE_LIMITED", "later", { retryAfterMs: 60_000 });
  await using service = await serve(later);
  using client = clientOf(service.url, { timeoutMs: 5_000 });
  await assert.rejects(client.call(read, {}), { code: "RATE_LIMITED", retryAfterMs: 60_000 });
  assert.equal(service.calls(), 1);
});

test("an abort ends the wait for the next attempt with the caller's reason", async () => {
  await using service = await serve(busy(), busy(), busy());
  using client = clientOf(service.url, {
    retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
    timeoutMs: 600_000,
  });
  const controller = new AbortController();
  const call = client.call(read, {}, { signal: controller.signal });
  const reason = new Error("enough");
  setImmediate(() => controller.abort(reason));
  await assert.rejects(call, reason);
});

test("interceptors run around the call, the first outermost, and may change it, answer, or see its end", async () => {
  await using service = await serve(busy());
  const steps: string[] = [];
  const noting =
    (name: string): Interceptor =>
    async (call, next) => {
      steps.push(`${name} ${call.function}`);
      const answer = await next({ ...call, extensions: [{ urn: "urn:acme:forrst:ext:x", options: {} }] });
      steps.push(`${name} ${JSON.stringify(answer.result)}`);
      return answer;
    };
  using client = clientOf(service.url, { interceptors: [noting("outer"), noting("inner")] });
  await client.call(read, {});
  assert.deepEqual(steps, ["outer a.read", "inner a.read", "inner 2", "outer 2"]);
  using answering = clientOf("http://127.0.0.1:1/", {
    interceptors: [async () => ({ result: "cached", extensions: [] })],
  });
  assert.equal(await answering.call(read, {}), "cached");
});

test("a caller learns what the server said of the extensions", async () => {
  await using service = await serve();
  using client = clientOf(service.url, { tracing: "start" });
  const urns: string[] = [];
  const onExtensions = (extensions: readonly { readonly urn: string }[]): void => {
    urns.push(...extensions.map(({ urn }) => urn));
  };
  await client.call(write, {}, { idempotencyKey: "k", onExtensions });
  const prefix = "urn:cline:forrst:ext:";
  assert.deepEqual(
    urns,
    ["tracing", "deadline", "idempotency"].map((name) => prefix + name),
  );
});

test("a function that takes neither tracing nor deadline is called without, at once and from then on", async () => {
  let requests = 0;
  const admit = (): void => void requests++;
  const server = createServer({ service: "a", onContextFault: () => {}, admit });
  server.function("a.write", { ...common, extensions: { supported: [] }, handler: () => "done" });
  await using service = await listen(server);
  using client = clientOf(service.url, { tracing: "start" });
  assert.equal(await client.call(write, {}), "done");
  assert.equal(requests, 3);
  assert.equal(await client.call(write, {}), "done");
  assert.equal(requests, 4);
  const call = client.call(write, {}, { idempotencyKey: "k" });
  await assert.rejects(call, { code: "EXTENSION_NOT_SUPPORTED" });
});

test("a stream that takes neither tracing nor deadline is opened without", async () => {
  let requests = 0;
  const server = createServer({ service: "a", onContextFault: () => {}, admit: () => void requests++ });
  server.implementStream(
    defineStream({ ...streams, name: "a.stream", extensions: { supported: ["urn:forrst:ext:stream"] } }),
    async function* () {
      yield "event";
    },
  );
  await using service = await listen(server);
  using client = clientOf(service.url, { tracing: "start" });
  const stream = defineStream({ ...streams, name: "a.stream" });
  for (const expected of [2, 3]) {
    const events: unknown[] = [];
    for await (const event of client.stream(stream, {})) events.push(event);
    assert.deepEqual([events, requests], [["event"], expected]);
  }
});
