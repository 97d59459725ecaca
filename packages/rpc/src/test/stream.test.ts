import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { startUpstream } from "@clew/testing";
import { type ClientOptions, createClient, type ForrstClient } from "../client/create-client.ts";
import { defineStream } from "../contract.ts";
import { RpcError } from "../rpc-error.ts";
import type { Call } from "../server/call.ts";
import { createServer, type ForrstServer } from "../server/create-server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { listen, nothing, number } from "./fixtures.ts";

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

test("an answer that ends before `complete` is UNAVAILABLE, not an end", async () => {
  await using cut = await startUpstream({
    handle: (_, response) =>
      response.setHeader("content-type", "text/event-stream").end("event: data\ndata: 1\n\n"),
  });
  const { values, error } = await collect(client(cut.url).stream(count, {}));
  assert.deepEqual([values, error?.code], [[1], "UNAVAILABLE"]);
});

test("a stream that is silent for too long says for how long, and where", async () => {
  await using silent = await startUpstream({ fault: "hold" });
  const { values, error } = await collect(client(silent.url, { streamSilenceMs: 50 }).stream(count, {}));
  assert.deepEqual([values, error?.code], [[], "UNAVAILABLE"]);
  assert.match(error?.message ?? "", /silent for 50 ms/);
  assert.ok(error?.message.includes(silent.url));
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
