import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { JsonValue } from "@clew/context";
import { startUpstream, temporaryDirectory } from "@clew/testing";
import { createClient, type ForrstClient } from "../client/create-client.ts";
import { defineFunction } from "../contract.ts";
import type { Call } from "../server/call.ts";
import { createServer } from "../server/create-server.ts";
import { type Listener, type ListenOptions, listen } from "../transports/listen.ts";

const hop = defineFunction({ name: "test.hop", version: "1.0.0", arguments: {}, result: {} });

interface Seen {
  readonly at: string;
  readonly caller: string | undefined;
  readonly fields: Record<string, JsonValue>;
  /** As routing and other readers of headers see it, digit by digit. */
  readonly account: string | undefined;
  readonly traceId: string | undefined;
  readonly remainingMs: number | undefined;
}

function see(at: string, { context: c, trace, deadline }: Call): Seen {
  return {
    at,
    caller: c.caller,
    fields: Object.fromEntries(c.entries()),
    account: c.text("account"),
    traceId: trace?.traceId,
    remainingMs: deadline?.remainingMs(),
  };
}

/** A service whose handler calls the next one, and knows nothing of context, trace or deadline. */
async function startHop(
  name: string,
  listening: ListenOptions,
  seen: Seen[],
  next?: ForrstClient,
): Promise<Listener> {
  const server = createServer({ service: name });
  server.implement(hop, async (_, call) => {
    seen.push(see(name, call));
    // So that a deadline handed on is seen to be less.
    await new Promise((resolve) => setTimeout(resolve, 5));
    return next === undefined ? "end" : await next.call(hop, {});
  });
  return await listen(server, listening);
}

/** A body as a service in another language might send it: no headers of ours, digits as they are. */
const foreignRequest = `{
  "protocol": { "name": "forrst", "version": "0.1.0" },
  "id": "req_1",
  "call": { "function": "test.hop", "version": "1.0.0", "arguments": {} },
  "context": {
    "caller": "shop-php",
    "account": 9007199254740993,
    "nested": { "ids": [-9223372036854775809, 1.5, null, true, false, ""], "deep": { "": {} } },
    "name with spaces, ü and a.dot": "value, with = ; and %",
    "empty": [],
    "zero": 0,
    "nothing": null
  },
  "extensions": [
    { "urn": "urn:cline:forrst:ext:tracing", "options": { "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331" } },
    { "urn": "urn:cline:forrst:ext:deadline", "options": { "value": 5, "unit": "second" } }
  ]
}`;

test("from A over B and C to D, by HTTP/1.1, HTTP/2 and a Unix socket, nothing of the context is lost", async () => {
  await using directory = await temporaryDirectory();
  const seen: Seen[] = [];
  const clients: ForrstClient[] = [];
  const clientOf = (service: string, { url }: Listener): ForrstClient => {
    const client = createClient({ url, service });
    clients.push(client);
    return client;
  };
  await using d = await startHop("d", { path: join(directory.path, "d.sock") }, seen);
  await using c = await startHop("c", { http2: true }, seen, clientOf("c", d));
  await using b = await startHop("b", {}, seen, clientOf("b", c));
  await using a = await startHop("a", {}, seen, clientOf("a", b));
  const answer = await fetch(a.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: foreignRequest,
  });
  const { result } = (await answer.json()) as { result: unknown };
  for (const client of clients) client.close();
  assert.equal(result, "end");
  assert.deepEqual(
    seen.map(({ at, caller }) => [at, caller]),
    [
      ["a", "shop-php"],
      ["b", "a"],
      ["c", "b"],
      ["d", "c"],
    ],
  );
  const { caller, ...sent } = (JSON.parse(foreignRequest) as { context: Record<string, JsonValue> }).context;
  assert.equal(caller, "shop-php");
  for (const { at, fields, account, traceId } of seen) {
    assert.deepEqual(fields, sent, at);
    assert.equal(account, "9007199254740993", at);
    assert.equal(traceId, "0af7651916cd43dd8448eb211c80319c", at);
  }
  const remaining = seen.map(({ remainingMs }) => remainingMs ?? Number.NaN);
  assert.ok(
    remaining.every((ms, i) => i === 0 || ms < (remaining[i - 1] as number)),
    String(remaining),
  );
});

test("the body that leaves carries the digits that came, for readers that see no headers", async () => {
  const bodies: string[] = [];
  await using foreign = await startUpstream({
    handle(request, response) {
      request.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on("end", () => response.end());
    },
  });
  const client = createClient({ url: foreign.url, service: "a" });
  await using a = await startHop("a", {}, [], client);
  const headers = { "content-type": "application/json" };
  await (await fetch(a.url, { method: "POST", headers, body: foreignRequest })).text();
  client.close();
  assert.match(bodies.join(""), /"account":9007199254740993,/);
  assert.match(bodies.join(""), /"ids":\[-9223372036854775809,/);
});

test("a large integer in arguments is refused with its place, or given as text or bigint, as the server chose", async () => {
  const echo = defineFunction({ name: "test.echo", version: "1.0.0", arguments: {}, result: {} });
  const ask = async (largeIntegers?: "refuse" | "text" | "bigint"): Promise<[string, string]> => {
    const types: string[] = [];
    const server = createServer({ service: "a", onContextFault: () => {}, largeIntegers }).implement(
      echo,
      (args) => {
        types.push(typeof (args as { ids: unknown[] }).ids[0]);
        return args;
      },
    );
    await using listener = await listen(server);
    const body =
      '{"protocol":"forrst/0.1","id":"x","call":{"function":"test.echo","arguments":{"ids":[9007199254740993]}}}';
    const headers = { "content-type": "application/json" };
    const answer = await fetch(listener.url, { method: "POST", headers, body });
    return [types.join(), await answer.text()];
  };
  const [never, refusal] = await ask();
  assert.equal(never, "");
  assert.match(refusal, /"INVALID_ARGUMENTS".*"\/call\/arguments\/ids\/0"/);
  assert.match((await ask("text")).join(), /^string,.*"ids":\["9007199254740993"\]/);
  assert.match((await ask("bigint")).join(), /^bigint,.*"ids":\[9007199254740993\]/);
});

test("a client sends bigints, and takes large integers in results as it was told", async () => {
  const echo = defineFunction({ name: "test.echo", version: "1.0.0", arguments: {}, result: {} });
  const server = createServer({ service: "a", largeIntegers: "bigint" }).implement(echo, (args) => args);
  await using listener = await listen(server);
  const id = 9007199254740993n;
  const options = { url: listener.url, service: "tests" };
  const [plain, text, big] = [
    createClient(options),
    createClient({ ...options, largeIntegers: "text" }),
    createClient({ ...options, largeIntegers: "bigint" }),
  ];
  await assert.rejects(plain.call(echo, { id }), { code: "E_RPC_RESULT", message: /at "\/id"/ });
  assert.deepEqual(await text.call(echo, { id }), { id: "9007199254740993" });
  assert.deepEqual(await big.call(echo, { id }), { id });
  for (const client of [plain, text, big]) client.close();
});
