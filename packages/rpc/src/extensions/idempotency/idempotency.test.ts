import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startProcess, startRedis, type TestRedis, until } from "@clew/testing";
import { Redis } from "ioredis";
import type { JsonObject } from "../../envelope/document.ts";
import { RpcError } from "../../rpc-error.ts";
import type { Call } from "../../server/call.ts";
import { createServer } from "../../server/create-server.ts";
import { type Posted, post, urnOf } from "../../test/extension-fixtures.ts";
import { anything, deferred, type Listening, listen } from "../../test/fixtures.ts";
import { createDefaultExtensions } from "../default-extensions.ts";
import { createIdempotencyExtension, type IdempotencyOptions } from "./idempotency.ts";
import { createMemoryIdempotencyStore } from "./memory-store.ts";
import { createRedisIdempotencyStore } from "./redis-store.ts";

const urn = urnOf("idempotency");
const version = "1.0.0";

let server: TestRedis;
let redis: Redis;
before(async () => {
  server = await startRedis();
  redis = new Redis(server.port, "127.0.0.1");
});
after(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

async function serve(
  handler: (args: JsonObject, call: Call) => unknown,
  options: Partial<IdempotencyOptions> = {},
): Promise<Listening> {
  const store = createMemoryIdempotencyStore();
  const extensions = [...createDefaultExtensions(), createIdempotencyExtension({ store, ...options })];
  const common = { version, arguments: anything, result: anything };
  const shop = createServer({ service: "a", onContextFault: () => {}, extensions, drainMs: 0 })
    .function("payments.charge", { ...common, handler: (args, call) => handler(args as JsonObject, call) })
    .function("payments.refund", { ...common, handler: (args, call) => handler(args as JsonObject, call) });
  return await listen(shop);
}

function charge(url: string, id: string, key: string, args: JsonObject = { amount: 100 }): Promise<Posted> {
  return post(url, "payments.charge", [{ urn, options: { key } }], { id, args });
}

test("a key is processed once; its repetition gets the same result and is told whose it is (First Response, Retry Response)", async () => {
  let done = 0;
  await using service = await serve(() => ({ charge: ++done }));
  const first = await charge(service.url, "req_001", "k");
  const again = await charge(service.url, "req_002", "k");
  assert.deepEqual([first.result, again.result, done], [{ charge: 1 }, { charge: 1 }, 1]);
  const { expires_at: expiresAt, ...said } = first.data(urn) as Record<string, string>;
  assert.deepEqual(said, { key: "k", status: "processed", original_request_id: "req_001" });
  assert.ok(Math.abs(Date.parse(expiresAt ?? "") - Date.now() - 86_400_000) < 60_000);
  const { cached_at: cachedAt, expires_at: _, ...repeated } = again.data(urn) as Record<string, string>;
  assert.deepEqual(repeated, { key: "k", status: "cached", original_request_id: "req_001" });
  assert.ok(Math.abs(Date.parse(cachedAt ?? "") - Date.now()) < 60_000);
});

test("other arguments with the same key conflict; the same in another order do not (Conflict Detection)", async () => {
  let done = 0;
  await using service = await serve(() => ++done);
  await charge(service.url, "req_001", "k", { a: 1, b: { c: [1], d: null } });
  assert.equal((await charge(service.url, "req_002", "k", { b: { d: null, c: [1] }, a: 1 })).result, 1);
  const conflict = await charge(service.url, "req_003", "k", { a: 2 });
  assert.deepEqual([conflict.status, conflict.codes], [409, ["IDEMPOTENCY_CONFLICT"]]);
  assert.match(String(conflict.errors?.[0]?.details?.["original_arguments_hash"]), /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(conflict.data(urn), { key: "k", status: "conflict", original_request_id: "req_001" });
  assert.equal(done, 1);
});

test("of twenty at once one is processed, the others are told to wait (Concurrent Request)", async () => {
  let done = 0;
  const gate = deferred();
  await using service = await serve(async () => {
    await gate.promise;
    return ++done;
  });
  const calls = Array.from({ length: 20 }, (_, i) => charge(service.url, `req_${i}`, "k"));
  const refused: Posted[] = [];
  for (const call of calls)
    void call.then((answer) => {
      if (answer.status === 409) refused.push(answer);
    });
  await until(() => refused.length === 19);
  gate.resolve();
  const results = (await Promise.all(calls)).filter(({ status }) => status === 200);
  assert.deepEqual([results.length, done], [1, 1]);
  const [{ codes, errors }] = refused as [Posted];
  assert.deepEqual(codes, ["IDEMPOTENCY_PROCESSING"]);
  assert.deepEqual(errors?.[0]?.details?.["retry_after"], { value: 1_000, unit: "millisecond" });
});

test("a key belongs to its function and scope, and its time is over when the request says so", async () => {
  let done = 0;
  const scope = ({ context }: Call): string => String(context.get("tenant"));
  await using service = await serve(() => ++done, { scope });
  const call = (name: string, tenant: string, ttl?: JsonObject) =>
    post(service.url, name, [{ urn, options: { key: "k", ...(ttl && { ttl }) } }], {
      headers: { baggage: `tenant=${tenant}` },
    });
  assert.equal((await call("payments.charge", "one")).result, 1);
  assert.equal((await call("payments.refund", "one")).result, 2);
  const ttl = { value: 1, unit: "millisecond" };
  assert.equal((await call("payments.charge", "two", ttl)).result, 3);
  await until(async () => (await call("payments.charge", "two", ttl)).result !== 3);
  assert.equal((await call("payments.charge", "one")).result, 1);
});

test("a refusal is kept, an unexpected error too, and only a retryable refusal frees the key", async () => {
  const errors: unknown[] = [
    new RpcError("E_NO_FUNDS", "no", { status: 402 }),
    new Error("crashed after charging"),
    new RpcError("UNAVAILABLE", "later"),
  ];
  let done = 0;
  await using service = await serve(({ i }) => {
    done++;
    throw errors[i as number];
  });
  const kinds: unknown[] = [];
  for (const i of errors.keys()) {
    await charge(service.url, "req_001", `k${i}`, { i });
    const again = await charge(service.url, "req_002", `k${i}`, { i });
    kinds.push([again.status, again.codes[0], again.data(urn)?.["status"]]);
  }
  assert.deepEqual(kinds, [
    [402, "E_NO_FUNDS", "cached"],
    [500, "INTERNAL_ERROR", "cached"],
    [503, "UNAVAILABLE", undefined],
  ]);
  assert.equal(done, 4);
});

test("a call that ran out of time is still processed only once, and its end is kept", async () => {
  let done = 0;
  const gate = deferred();
  await using service = await serve(async () => {
    await gate.promise;
    return ++done;
  });
  const extensions = [
    { urn, options: { key: "k" } },
    { urn: urnOf("deadline"), options: { value: 20, unit: "millisecond" } },
  ];
  const late = await post(service.url, "payments.charge", extensions, { args: { amount: 100 } });
  assert.deepEqual([late.codes, late.data(urn)?.["status"]], [["DEADLINE_EXCEEDED"], "processing"]);
  assert.deepEqual((await charge(service.url, "b", "k")).codes, ["IDEMPOTENCY_PROCESSING"]);
  gate.resolve();
  const cached = await until(async () => {
    const answer = await charge(service.url, "c", "k");
    return answer.status === 200 && answer;
  });
  assert.deepEqual([cached.result, done], [1, 1]);
});

test("keys that are none are refused, and streams have none", async () => {
  await using service = await serve(() => 1);
  for (const key of ["", "x".repeat(257), 5 as never])
    assert.deepEqual((await charge(service.url, "a", key)).codes, [
      "INVALID_REQUEST /extensions/0/options/key",
    ]);
  const options = { key: "k", ttl: { value: 1, unit: "moon" } };
  const { codes } = await post(service.url, "payments.charge", [{ urn, options }]);
  assert.deepEqual(codes, ["INVALID_REQUEST /extensions/0/options/ttl"]);
});

/** A server process that charges and then dies before it answers, if it is told to. */
const dyingServer = (port: number): string => `
  import { createServer as createHttpServer } from "node:http";
  import { Redis } from "ioredis";
  import { createServer, createIdempotencyExtension, createRedisIdempotencyStore } from ${JSON.stringify(new URL("../../index.js", import.meta.url).href)};
  const redis = new Redis(${port}, "127.0.0.1");
  const store = createRedisIdempotencyStore({ redis });
  const anything = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
  const rpc = createServer({ service: "dying", onContextFault() {}, extensions: [createIdempotencyExtension({ store, leaseMs: 100 })] });
  rpc.function("payments.charge", { version: "1.0.0", arguments: anything, result: anything, async handler() {
    await redis.incr("charged");
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => {});
  } });
  const http = createHttpServer((request, response) => rpc.handle(request, response)).listen(0, "127.0.0.1", () => console.log("port " + http.address().port));
`;

test("when a server dies between doing and answering, nobody does it again: it is said to be unknown", async () => {
  await redis.del("charged");
  const script = dyingServer(server.port);
  const cwd = new URL("../../..", import.meta.url).pathname;
  await using dying = await startProcess(process.execPath, ["--input-type=module", "-e", script], { cwd });
  const line = await dying.waitForLine(/port \d+/);
  await assert.rejects(charge(`http://127.0.0.1:${line.slice(5)}/`, "req_001", "dead"));
  await dying.exited;
  const store = createRedisIdempotencyStore({ redis });
  await using service = await serve(() => redis.incr("charged"), { store });
  const unknown = await until(async () => {
    const answer = await charge(service.url, "req_002", "dead");
    return answer.codes[0] === "IDEMPOTENCY_PROCESSING" ? false : answer;
  });
  assert.deepEqual([unknown.status, unknown.codes], [409, ["E_RPC_OUTCOME_UNKNOWN"]]);
  assert.equal(unknown.errors?.[0]?.details?.["original_request_id"], "req_001");
  assert.equal(await redis.get("charged"), "1");

  const fences: unknown[] = [];
  const rerun = { store, afterLostServer: "rerun" } as const;
  await using other = await serve((_, call) => fences.push(call.idempotency?.fence), rerun);
  assert.equal((await charge(other.url, "req_003", "dead")).data(urn)?.["status"], "processed");
  assert.deepEqual(fences, [2]);
});

test("without its store a server refuses before it does anything", async () => {
  await using own = await startRedis();
  const client = new Redis(own.port, "127.0.0.1", { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => {});
  let done = 0;
  await using service = await serve(() => ++done, { store: createRedisIdempotencyStore({ redis: client }) });
  assert.equal((await charge(service.url, "a", "k")).result, 1);
  await own.stop();
  assert.deepEqual((await charge(service.url, "b", "other")).codes, ["UNAVAILABLE"]);
  client.disconnect();
  assert.equal(done, 1);
});

test("work whose end cannot be noted is answered for, and not done again", async () => {
  await using own = await startRedis();
  const client = new Redis(own.port, "127.0.0.1", { maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => {});
  const store = createRedisIdempotencyStore({ redis: client });
  await using service = await serve(
    async () => {
      await own.stop();
      return "charged";
    },
    { store },
  );
  const { result, data } = await charge(service.url, "a", "k");
  client.disconnect();
  assert.deepEqual([result, data(urn)?.["status"]], ["charged", "processing"]);
});
