import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { startUpstream, until } from "@clew/testing";
import { type ClientOptions, createClient, type ForrstClient } from "../client/create-client.ts";
import { defineStream } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import type { Call } from "../server/call.ts";
import { createServer, type ForrstServer } from "../server/create-server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { anything, deferred, listen, nothing, number } from "./fixtures.ts";

const count = defineStream({ name: "events.count", version: "1.0.0", arguments: nothing, event: number });

function serve(
  handler: (call: Call) => AsyncIterable<number>,
  options: Partial<ServerOptions> = {},
): ForrstServer {
  return createServer({ service: "a", ...options }).implementStream(count, (_, call) => handler(call));
}

function client(url: string, options: Partial<ClientOptions> = {}): ForrstClient {
  return createClient({ url, service: "tests", ...options });
}

/** What a stream gave until it ended, and why. */
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

test("events come in order, and the stream ends when its handler is done", async () => {
  await using service = await listen(
    serve(async function* () {
      for (let i = 0; i < 1_000; i++) yield i;
    }),
  );
  const { values, error } = await collect(client(service.url).stream(count, {}));
  assert.deepEqual([values, error], [[...Array(1_000).keys()], undefined]);
});

test("an error before the first event is an answer with a status, one after it ends the stream; both arrive whole", async () => {
  let first = true;
  await using service = await listen(
    serve(async function* () {
      if (!first) yield 1;
      throw new RpcError("E_TEST", "enough", { hint: "stop" });
    }),
  );
  const early = await collect(client(service.url).stream(count, {}));
  first = false;
  const late = await collect(client(service.url).stream(count, {}));
  assert.deepEqual([early.values, early.error?.code, early.error?.hint], [[], "E_TEST", "stop"]);
  assert.deepEqual([late.values, late.error?.code, late.error?.hint], [[1], "E_TEST", "stop"]);
});

test("a client that stops reading aborts the handler and frees its connection", async () => {
  const aborted = deferred();
  await using service = await listen(
    serve(async function* ({ signal }) {
      yield 1;
      await once(signal, "abort");
      aborted.resolve();
    }),
  );
  for await (const event of client(service.url).stream(count, {})) {
    assert.equal(event, 1);
    break;
  }
  await aborted.promise;
  await until(() => service.sockets.size === 0);
});

test("a client's signal ends the stream quietly, also while nothing comes", async () => {
  const controller = new AbortController();
  await using service = await listen(
    serve(async function* ({ signal }) {
      yield 1;
      await once(signal, "abort");
    }),
  );
  const { signal } = controller;
  const abortSoon = (): void => void setImmediate(() => controller.abort());
  const { values, error } = await collect(client(service.url).stream(count, {}, { signal }), abortSoon);
  assert.deepEqual([values, error], [[1], undefined]);
  assert.deepEqual((await collect(client(service.url).stream(count, {}, { signal }))).values, []);
});

test("a server that dies in the middle of a stream is UNAVAILABLE, not an end", async () => {
  await using service = await listen(
    serve(async function* ({ signal }) {
      yield 1;
      await once(signal, "abort");
    }),
  );
  const { values, error } = await collect(client(service.url).stream(count, {}), service.kill);
  assert.deepEqual([values, error?.code, error?.retryable], [[1], "UNAVAILABLE", true]);
});

test("an answer that ends before `complete` is UNAVAILABLE, not an end", async () => {
  await using cut = await startUpstream({
    handle: (_, response) =>
      response.setHeader("content-type", "text/event-stream").end("event: data\ndata: 1\n\n"),
  });
  const { values, error } = await collect(client(cut.url).stream(count, {}));
  assert.deepEqual([values, error?.code], [[1], "UNAVAILABLE"]);
});

test("a closing server ends its streams with an error that is worth a retry", async () => {
  const server = serve(async function* ({ signal }) {
    yield 1;
    await once(signal, "abort");
  });
  await using service = await listen(server);
  const { values, error } = await collect(client(service.url).stream(count, {}), () => void server.close());
  assert.deepEqual([values, error?.code, error?.retryable], [[1], "UNAVAILABLE", true]);
});

test("heartbeats keep a quiet stream alive; without them silence ends it", async () => {
  const quiet = async function* ({ signal }: Call): AsyncIterable<number> {
    const beats = new AbortController();
    const timer = setTimeout(() => beats.abort(), 700);
    await Promise.race([once(beats.signal, "abort"), once(signal, "abort")]);
    clearTimeout(timer);
    yield 1;
  };
  await using beating = await listen(serve(quiet, { heartbeatMs: 10 }));
  await using silent = await listen(serve(quiet, { heartbeatMs: 10_000 }));
  const options = { streamSilenceMs: 300 };
  assert.deepEqual((await collect(client(beating.url, options).stream(count, {}))).values, [1]);
  const dead = await collect(client(silent.url, options).stream(count, {}));
  assert.deepEqual([dead.values, dead.error?.code], [[], "UNAVAILABLE"]);
  assert.match(dead.error?.message ?? "", /silent for 300 ms/);
});

test("a slow reader holds the handler back instead of filling memory, and is cut off when it takes nothing", async () => {
  const large = { ...count, event: anything };
  let made = 0;
  const ended = deferred();
  const server = createServer({ service: "a", stallMs: 100 }).implementStream(large, async function* () {
    try {
      for (;;) {
        made++;
        yield "x".repeat(100_000);
      }
    } finally {
      ended.resolve();
    }
  });
  await using service = await listen(server);
  const events = client(service.url).stream(large, {})[Symbol.asyncIterator]();
  await events.next();
  await ended.promise;
  // Kernel buffers of loopback hold some megabytes; an unbounded stream would have made tens of thousands by now.
  assert.ok(made < 500, `${made} events were made for a reader that took one`);
  await assert.rejects(async () => {
    while (!(await events.next()).done);
  });
});

test("an event that breaks the contract is named at the client, and at the server when it checks", async () => {
  const wrong = async function* (): AsyncIterable<number> {
    yield "one" as never;
  };
  await using trusting = await listen(serve(wrong));
  await using checking = await listen(serve(wrong, { checkResults: true }));
  assert.equal((await collect(client(trusting.url).stream(count, {}))).error?.code, "E_RPC_RESULT");
  assert.equal((await collect(client(checking.url).stream(count, {}))).error?.code, "INTERNAL_ERROR");
});

test("the wire is as the stream extension's page draws it, with the URN that was asked by", async () => {
  await using service = await listen(
    serve(async function* () {
      yield 1;
    }),
  );
  const urn = "urn:forrst:ext:stream";
  const response = await fetch(service.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      protocol: { name: "forrst", version: "0.1.0" },
      id: "req_stream",
      call: { function: "events.count" },
      extensions: [{ urn, options: { accept: true } }],
    }),
  });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const complete = {
    protocol: { name: "forrst", version: "0.1.0" },
    id: "req_stream",
    result: { streamed: true },
    extensions: [{ urn, data: { enabled: true, content_type: "text/event-stream", completed: true } }],
  };
  assert.equal(
    await response.text(),
    `event: data\ndata: 1\n\nevent: done\ndata: null\n\nevent: complete\ndata: ${JSON.stringify(complete)}\n\n`,
  );
});
