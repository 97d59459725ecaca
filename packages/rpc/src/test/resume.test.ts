import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryDirectory } from "@clew/testing";
import { createClient, type StreamOptions } from "../client/create-client.ts";
import { defineStream } from "../contract.ts";
import { resumable } from "../extensions/stream.ts";
import type { Call } from "../server/call.ts";
import { createServer } from "../server/create-server.ts";
import { listen as listenOn } from "../transports/listen.ts";
import { post, urnOf } from "./extension-fixtures.ts";
import { type Listening, listen, nothing, number } from "./fixtures.ts";

const count = defineStream({ name: "a.count", version: "1.0.0", arguments: nothing, event: number });
const total = 10;

/** Counts on behind the event that the client has seen. */
async function* countOn({ lastEventId }: Call): AsyncGenerator<ReturnType<typeof resumable<number>>> {
  for (let n = Number(lastEventId ?? -1) + 1; n < total; n++) yield resumable(n, String(n));
}

const serve = (handler: (call: Call) => AsyncIterable<never>) =>
  createServer({ service: "a", onContextFault: () => {} }).implementStream(count, (_, call) => handler(call));

async function read(
  url: string,
  options: StreamOptions,
  onEvent: (n: number) => void = () => {},
): Promise<{ numbers: number[]; code: string | undefined }> {
  const client = createClient({ url, service: "tests" });
  const numbers: number[] = [];
  try {
    for await (const n of client.stream(count, {}, options)) {
      numbers.push(n);
      onEvent(n);
    }
  } catch (error) {
    return { numbers, code: (error as { code: string }).code };
  } finally {
    client.close();
  }
  return { numbers, code: undefined };
}

const all = [...Array(total).keys()];

/** Waits after three events, so that the connection can be broken there. */
async function* countAndWait(call: Call): AsyncGenerator<never> {
  let sent = 0;
  for await (const event of countOn(call)) {
    yield event as never;
    if (++sent === 3)
      await new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
  }
}

test("a stream that breaks again and again is read to its end, nothing lost and nothing twice", async () => {
  const service: Listening = await listen(serve(countAndWait));
  await using _ = service;
  const broken = (n: number): void => {
    if (n % 3 === 2) setImmediate(service.kill);
  };
  const { numbers, code } = await read(service.url, { resume: { baseDelayMs: 1 } }, broken);
  assert.deepEqual([numbers, code], [all, undefined]);
});

test("events without ids are not asked for again, and attempts end", async () => {
  await using plain = await listen(
    serve(async function* ({ signal }) {
      yield 1 as never;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    }),
  );
  const resume = { baseDelayMs: 1, maxAttempts: 2 };
  const lost = await read(plain.url, { resume }, () => setImmediate(plain.kill));
  assert.deepEqual([lost.numbers, lost.code], [[1], "UNAVAILABLE"]);

  const gone = await listen(serve(countAndWait));
  let disposed: PromiseLike<void> | undefined;
  const { numbers, code } = await read(gone.url, { resume }, (n) => {
    if (n === 2) disposed = gone[Symbol.asyncDispose]();
  });
  await disposed;
  assert.deepEqual([numbers, code], [[0, 1, 2], "UNAVAILABLE"]);
});

test("a caller that keeps ids goes on by itself, over HTTP and a Unix socket", async () => {
  await using directory = await temporaryDirectory();
  await using http = await listenOn(serve(countOn as never));
  await using unix = await listenOn(serve(countOn as never), { path: `${directory.path}/a.sock` });
  for (const { url } of [http, unix]) {
    const ids: string[] = [];
    const options = { lastEventId: "4", onEventId: (id: string) => void ids.push(id) };
    assert.deepEqual((await read(url, options)).numbers, [5, 6, 7, 8, 9]);
    assert.deepEqual(ids, ["5", "6", "7", "8", "9"]);
  }
});

test("the header that browsers send is understood, and the extension's option goes before it", async () => {
  await using service = await listen(serve(countOn as never));
  const request = async (options: Record<string, string>): Promise<string> => {
    const response = await fetch(service.url, {
      method: "POST",
      headers: { "content-type": "application/json", "last-event-id": "8" },
      body: JSON.stringify({
        protocol: { name: "forrst", version: "0.1.0" },
        id: "a",
        call: { function: "a.count" },
        extensions: [{ urn: urnOf("stream"), options: { accept: true, ...options } }],
      }),
    });
    return (await response.text()).split("\n\n")[0] ?? "";
  };
  assert.equal(await request({}), "id: 9\nevent: data\ndata: 9");
  assert.equal(await request({ last_event_id: "1" }), "id: 2\nevent: data\ndata: 2");
});

test("what cannot be an event's id is refused at both ends", async () => {
  assert.throws(() => resumable(1, "two\nlines"), { code: "E_RPC_EVENT_ID" });
  await using service = await listen(serve(countOn as never));
  const options = { accept: true, last_event_id: "\n" };
  const { codes } = await post(service.url, "a.count", [{ urn: urnOf("stream"), options }]);
  assert.deepEqual(codes, ["INVALID_REQUEST /extensions/0/options/last_event_id"]);
});
