import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type Context, context, type JsonValue } from "@clew/context";
import { until } from "@clew/testing";
import { type ClientOptions, createClient, type ForrstClient } from "../client/create-client.ts";
import { defineFunction, defineStream } from "../contract.ts";
import { type Progress, progress } from "../extensions/stream.ts";
import { RpcError } from "../rpc-error.ts";
import type { Call } from "../server/call.ts";
import { createServer, type ForrstServer } from "../server/create-server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { anything, deferred, isNumber, nothing, number, object } from "./fixtures.ts";

export interface TransportUnderTest {
  readonly name: string;
  start(server: ForrstServer): Promise<StartedTransport>;
  /** What a client needs beside the URL. */
  readonly client?: Partial<ClientOptions> | undefined;
}

export interface StartedTransport extends AsyncDisposable {
  readonly url: string;
  /** Connections open now. */
  connections(): number;
  /** As if the process had been killed. */
  kill(): void;
}

const version = "1.0.0";
const add = defineFunction({
  name: "numbers.add",
  version,
  arguments: object<{ a: number; b: number }>({ a: isNumber, b: isNumber }),
  result: number,
});
const echo = defineFunction({ name: "test.echo", version, arguments: anything, result: anything });
const run = defineFunction({ name: "test.run", version, arguments: nothing, result: anything });
const contractOfCount = { name: "test.count", version, arguments: nothing };
const count = defineStream({ ...contractOfCount, event: number });

async function rejection(promise: Promise<unknown>): Promise<RpcError> {
  const error = await promise.then(
    () => assert.fail("the call succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RpcError, String(error));
  return error;
}

interface World extends AsyncDisposable {
  readonly client: ForrstClient;
  readonly transport: StartedTransport;
  readonly server: ForrstServer;
}

/** A server with the contract's functions and a client of it. */
async function start(
  kind: TransportUnderTest,
  handlers: {
    run?: (call: Call) => unknown;
    count?: (call: Call) => AsyncIterable<number>;
    options?: Partial<ServerOptions>;
    client?: Partial<ClientOptions>;
  } = {},
): Promise<World> {
  const server = createServer({ service: "b", onContextFault: () => {}, ...handlers.options })
    .implement(add, ({ a, b }) => a + b)
    .implement(echo, (args) => args)
    .implement(run, (_, call) => handlers.run?.(call))
    .implementStream(count, (_, call) => handlers.count?.(call) ?? upTo(1_000));
  const transport = await kind.start(server);
  const options = { service: "a", ...kind.client, ...handlers.client };
  const client = createClient({ ...options, url: transport.url });
  const dispose = async (): Promise<void> => {
    client.close();
    await transport[Symbol.asyncDispose]();
  };
  return { client, transport, server, [Symbol.asyncDispose]: dispose };
}

async function* upTo(end: number): AsyncIterable<number> {
  for (let i = 0; i < end; i++) yield i;
}

/** One event, then nothing until the call is aborted. */
async function* oneThenSilence({ signal }: Call): AsyncIterable<number> {
  yield 1;
  if (!signal.aborted) await once(signal, "abort");
}

async function collect(
  events: AsyncIterable<unknown>,
  onEvent: () => void = () => {},
): Promise<{ values: unknown[]; error: RpcError | undefined }> {
  const values: unknown[] = [];
  try {
    for await (const event of events) {
      values.push(event);
      onEvent();
    }
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return { values, error };
  }
  return { values, error: undefined };
}

/** What every transport must do, run against one of them. */
export function transportContract(kind: TransportUnderTest): void {
  answers(kind);
  limits(kind);
  contexts(kind);
  streams(kind);
  endings(kind);
}

function answers(kind: TransportUnderTest): void {
  test(`${kind.name}: a call is answered, and calls share a kept connection`, async () => {
    await using world = await start(kind);
    assert.equal(await world.client.call(add, { a: 1, b: 2 }), 3);
    assert.equal(await world.client.call(add, { a: 3, b: 4 }), 7);
    assert.equal(world.transport.connections(), 1);
  });

  test(`${kind.name}: a hundred calls at once get each their own answer`, async () => {
    await using world = await start(kind);
    const numbers = [...Array(100).keys()];
    const sums = await Promise.all(numbers.map((a) => world.client.call(add, { a, b: 1 })));
    assert.deepEqual(
      sums,
      numbers.map((a) => a + 1),
    );
  });

  test(`${kind.name}: a slow call does not hold up the others`, async () => {
    const released = deferred();
    const entered = deferred();
    await using world = await start(kind, {
      async run() {
        entered.resolve();
        await released.promise;
        return "slow";
      },
    });
    const slow = world.client.call(run, {});
    await entered.promise;
    assert.equal(await world.client.call(add, { a: 1, b: 1 }), 2);
    released.resolve();
    assert.equal(await slow, "slow");
  });

  test(`${kind.name}: a refusal arrives whole, with the status that its code has`, async () => {
    const refusal = {
      details: { owner: "anna" },
      source: { pointer: "/call/arguments/x" },
      hint: "ask anna",
    };
    await using world = await start(kind, {
      run() {
        throw new RpcError("NOT_FOUND", "no ü", refusal);
      },
    });
    const error = await rejection(world.client.call(run, {}));
    const { code, message, details, source, hint, retryable, status } = error;
    assert.deepEqual(
      { code, message, details, source, hint, retryable, status },
      { code: "NOT_FOUND", message: "no ü", ...refusal, retryable: false, status: 404 },
    );
  });

  test(`${kind.name}: every argument that is wrong is named in one answer`, async () => {
    await using world = await start(kind);
    const error = await rejection(world.client.call(add, { a: "1", b: "2" } as never));
    assert.deepEqual(
      error.errors.map(({ code, source }) => [code, source?.pointer]),
      [
        ["INVALID_ARGUMENTS", "/call/arguments/a"],
        ["INVALID_ARGUMENTS", "/call/arguments/b"],
      ],
    );
    assert.equal(error.status, 400);
  });

  test(`${kind.name}: what a handler fails with stays inside`, async () => {
    await using world = await start(kind, {
      run() {
        throw new Error("secret");
      },
    });
    const error = await rejection(world.client.call(run, {}));
    assert.deepEqual([error.code, error.status], ["INTERNAL_ERROR", 500]);
    assert.equal(JSON.stringify(error.errors).includes("secret"), false);
  });
}

function limits(kind: TransportUnderTest): void {
  test(`${kind.name}: a request of nearly a megabyte passes, a larger one is refused, and the next call is served`, async () => {
    await using world = await start(kind);
    const fits = { text: "ü".repeat(500_000) };
    assert.deepEqual(await world.client.call(echo, fits), fits);
    const error = await rejection(world.client.call(echo, { text: "x".repeat(1_100_000) }));
    assert.equal(error.code, "INVALID_REQUEST");
    assert.match(error.message, /larger than 1048576 bytes/);
    assert.equal(await world.client.call(add, { a: 1, b: 2 }), 3);
  });

  test(`${kind.name}: the token reaches the handler, and without it \`admit\` refuses`, async () => {
    const options: Partial<ServerOptions> = {
      admit(request) {
        if (request.headers.authorization !== "Bearer t0ken") throw new RpcError("UNAUTHORIZED", "no");
      },
    };
    await using known = await start(kind, { options, client: { token: "t0ken" }, run: ({ token }) => token });
    await using stranger = await start(kind, { options });
    assert.equal(await known.client.call(run, {}), "t0ken");
    const error = await rejection(stranger.client.call(run, {}));
    assert.deepEqual([error.code, error.status], ["UNAUTHORIZED", 401]);
  });
}

function contexts(kind: TransportUnderTest): void {
  test(`${kind.name}: the caller and every field arrive, Clew's own too, and no call sees another's`, async () => {
    const see = ({ caller, traceparent, ...context }: Context, entries: Iterable<[string, JsonValue]>) => ({
      caller,
      size: context.size,
      fields: Object.fromEntries(entries),
    });
    await using world = await start(kind, { run: ({ context: c }) => see(c, c.entries()).fields });
    const fields = {
      tenant_id: "acme",
      "name with spaces, ü and =": " ",
      "a.b": [1.5, null, true, { c: "" }],
      "clew-route": "anna",
    };
    const calls = [...Array(20).keys()].map((n) =>
      context.with({ ...fields, n }, () => world.client.call(run, {})),
    );
    assert.deepEqual(
      await Promise.all(calls),
      [...Array(20).keys()].map((n) => ({ ...fields, n })),
    );
    assert.deepEqual(await world.client.call(run, {}), {});
  });

  test(`${kind.name}: the caller is who sent the request`, async () => {
    await using world = await start(kind, { run: (call) => call.context.caller });
    assert.equal(await world.client.call(run, {}), "a");
  });
}

function streams(kind: TransportUnderTest): void {
  test(`${kind.name}: a stream's events come in order, and it ends when its handler is done`, async () => {
    await using world = await start(kind);
    const { values, error } = await collect(world.client.stream(count, {}));
    assert.deepEqual([values, error], [[...Array(1_000).keys()], undefined]);
  });

  test(`${kind.name}: a large integer in an event keeps its digits, or is refused, and never rounded`, async () => {
    const id = 9007199254740993n;
    const count = async function* (): AsyncIterable<number> {
      yield [id] as never;
    };
    const events = defineStream({ ...contractOfCount, event: anything });
    await using exact = await start(kind, { count, client: { largeIntegers: "bigint" } });
    await using plain = await start(kind, { count });
    assert.deepEqual((await collect(exact.client.stream(events, {}))).values, [[id]]);
    const { values, error } = await collect(plain.client.stream(events, {}));
    assert.deepEqual([values, error?.code], [[], "E_RPC_RESULT"]);
  });

  test(`${kind.name}: progress is told beside the events, and is none of them`, async () => {
    await using world = await start(kind, {
      async *count() {
        yield progress(1, 3, "one of three") as never;
        yield 1;
        yield progress(3, 3) as never;
      },
      options: { checkResults: true },
    });
    const told: Progress[] = [];
    const onProgress = (one: Progress): void => void told.push(one);
    assert.deepEqual(await collect(world.client.stream(count, {}, { onProgress })), {
      values: [1],
      error: undefined,
    });
    assert.deepEqual(told, [
      { current: 1, total: 3, percent: 33, message: "one of three" },
      { current: 3, total: 3, percent: 100 },
    ]);
    // Whoever does not ask is not told.
    assert.deepEqual((await collect(world.client.stream(count, {}))).values, [1]);
  });

  test(`${kind.name}: two streams and calls at once do not mix`, async () => {
    await using world = await start(kind);
    const [one, two, sum] = await Promise.all([
      collect(world.client.stream(count, {})),
      collect(world.client.stream(count, {})),
      world.client.call(add, { a: 1, b: 2 }),
    ]);
    assert.deepEqual([one.values.length, two.values.length, sum], [1_000, 1_000, 3]);
  });

  test(`${kind.name}: an error before the first event is an answer, one after it ends the stream`, async () => {
    let isEarly = true;
    await using world = await start(kind, {
      async *count() {
        if (!isEarly) yield 1;
        throw new RpcError("E_TEST", "enough", { hint: "stop" });
      },
    });
    const early = await collect(world.client.stream(count, {}));
    isEarly = false;
    const late = await collect(world.client.stream(count, {}));
    assert.deepEqual([early.values, early.error?.code, early.error?.hint], [[], "E_TEST", "stop"]);
    assert.deepEqual([late.values, late.error?.code, late.error?.hint], [[1], "E_TEST", "stop"]);
  });

  test(`${kind.name}: a reader that stops aborts the handler and frees its connection`, async () => {
    const aborted = deferred();
    await using world = await start(kind, {
      async *count(call) {
        yield* oneThenSilence(call);
        aborted.resolve();
      },
    });
    for await (const event of world.client.stream(count, {})) {
      assert.equal(event, 1);
      break;
    }
    await aborted.promise;
    await until(() => world.transport.connections() === 0);
  });

  test(`${kind.name}: a slow reader holds the handler back, and is cut off when it takes nothing`, async () => {
    let made = 0;
    const ended = deferred();
    await using world = await start(kind, {
      options: { stallMs: 100 },
      async *count() {
        try {
          for (;;) {
            made++;
            yield "x".repeat(100_000) as never;
          }
        } finally {
          ended.resolve();
        }
      },
    });
    const large = { ...count, event: anything };
    const events = world.client.stream(large, {})[Symbol.asyncIterator]();
    await events.next();
    await ended.promise;
    // Kernel buffers hold some megabytes; an unbounded stream would have made tens of thousands by now.
    assert.ok(made < 500, `${made} events were made for a reader that took one`);
    await assert.rejects(async () => {
      while (!(await events.next()).done);
    });
  });

  test(`${kind.name}: a server that dies in the middle of a stream is UNAVAILABLE, not an end`, async () => {
    await using world = await start(kind, { count: oneThenSilence });
    const { values, error } = await collect(world.client.stream(count, {}), world.transport.kill);
    assert.deepEqual([values, error?.code, error?.retryable], [[1], "UNAVAILABLE", true]);
  });

  test(`${kind.name}: heartbeats keep a quiet stream alive; without them silence ends it`, async () => {
    const silence = { streamSilenceMs: 300 };
    const quiet = async function* ({ signal }: Call): AsyncIterable<number> {
      const beats = new AbortController();
      const timer = setTimeout(() => beats.abort(), 700);
      await Promise.race([once(beats.signal, "abort"), once(signal, "abort")]);
      clearTimeout(timer);
      yield 1;
    };
    await using beating = await start(kind, { count: quiet, client: silence, options: { heartbeatMs: 10 } });
    await using silent = await start(kind, {
      count: quiet,
      client: silence,
      options: { heartbeatMs: 9_000 },
    });
    assert.deepEqual((await collect(beating.client.stream(count, {}))).values, [1]);
    const dead = await collect(silent.client.stream(count, {}));
    assert.deepEqual([dead.values, dead.error?.code], [[], "UNAVAILABLE"]);
  });
}

function endings(kind: TransportUnderTest): void {
  test(`${kind.name}: a client's abort reaches the handler, and leaves other calls alone`, async () => {
    const gone = deferred();
    const controller = new AbortController();
    const entered = deferred();
    await using world = await start(kind, {
      async run({ signal }) {
        entered.resolve();
        await once(signal, "abort");
        gone.resolve();
      },
    });
    const aborted = assert.rejects(
      world.client.call(run, {}, { signal: controller.signal }),
      /changed my mind/,
    );
    await entered.promise;
    controller.abort(new Error("changed my mind"));
    await aborted;
    await gone.promise;
    assert.equal(await world.client.call(add, { a: 1, b: 2 }), 3);
  });

  test(`${kind.name}: a call that takes too long ends with DEADLINE_EXCEEDED`, async () => {
    await using world = await start(kind, { run: ({ signal }) => once(signal, "abort") });
    const error = await rejection(world.client.call(run, {}, { timeoutMs: 50 }));
    assert.equal(error.code, "DEADLINE_EXCEEDED");
  });

  test(`${kind.name}: a server that dies under calls fails each of them, and the client recovers`, async () => {
    let running = 0;
    const both = deferred();
    await using world = await start(kind, {
      async run({ signal }) {
        if (++running === 2) both.resolve();
        await once(signal, "abort");
      },
    });
    const failed = [rejection(world.client.call(run, {})), rejection(world.client.call(run, {}))];
    await both.promise;
    world.transport.kill();
    for (const error of await Promise.all(failed)) {
      assert.deepEqual([error.code, error.retryable], ["UNAVAILABLE", true]);
    }
    await until(() => world.transport.connections() === 0);
    assert.equal(await world.client.call(add, { a: 1, b: 2 }), 3);
  });

  test(`${kind.name}: a closing server refuses new calls, ends streams, and waits for calls under way`, async () => {
    const released = deferred();
    const entered = deferred();
    await using world = await start(kind, {
      count: oneThenSilence,
      async run() {
        entered.resolve();
        await released.promise;
        return "done";
      },
    });
    const running = world.client.call(run, {});
    await entered.promise;
    const events = world.client.stream(count, {})[Symbol.asyncIterator]();
    assert.deepEqual(await events.next(), { done: false, value: 1 });
    let isClosed = false;
    const closed = world.server.close().then(() => (isClosed = true));
    assert.equal((await rejection(events.next() as Promise<unknown>)).code, "UNAVAILABLE");
    assert.equal((await rejection(world.client.call(add, { a: 1, b: 2 }))).code, "UNAVAILABLE");
    assert.equal(isClosed, false);
    released.resolve();
    assert.equal(await running, "done");
    await closed;
  });

  test(`${kind.name}: nobody listening is UNAVAILABLE, and says so`, async () => {
    const world = await start(kind);
    await world[Symbol.asyncDispose]();
    const client = createClient({ service: "a", ...kind.client, url: world.transport.url });
    const error = await rejection(client.call(add, { a: 1, b: 2 }));
    client.close();
    assert.deepEqual([error.code, error.retryable], ["UNAVAILABLE", true]);
    assert.match(error.hint ?? "", /running/);
  });
}
