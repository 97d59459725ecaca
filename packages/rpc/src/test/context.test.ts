import assert from "node:assert/strict";
import { test } from "node:test";
import { type Context, context, extractContext, type JsonValue } from "@clew/context";
import { startUpstream } from "@clew/testing";
import { createClient } from "../client/create-client.ts";
import { defineFunction, type FunctionContract } from "../contract.ts";
import { createServer } from "../server/create-server.ts";
import { anything, type Listening, listen, nothing } from "./fixtures.ts";

const version = "1.0.0";
const hop = (name: string): FunctionContract<object, unknown> =>
  defineFunction({ name: `${name}.hop`, version, arguments: nothing, result: anything });

interface Seen {
  readonly at: string;
  readonly caller: string | undefined;
  readonly fields: object;
}

/** A service that notes what context it was called with, and calls the next one with no code for the context. */
async function startHop(
  name: string,
  seen: Seen[],
  next?: { name: string; url: string },
): Promise<Listening> {
  const downstream = next && createClient({ url: next.url, service: name });
  const server = createServer({ service: name, onContextFault: () => {} });
  server.implement(hop(name), async (_, call) => {
    await new Promise(setImmediate);
    assert.equal(context.current(), call.context);
    seen.push({ at: name, caller: call.context.caller, fields: Object.fromEntries(call.context.entries()) });
    if (next !== undefined) await downstream?.call(hop(next.name), {});
  });
  return await listen(server);
}

const fromHeaders = (headers: Record<string, string>): Context => extractContext((name) => headers[name]);

test("custom fields go from A over B to C unchanged, and each hop's caller is its sender", async () => {
  const seen: Seen[] = [];
  await using c = await startHop("c", seen);
  await using b = await startHop("b", seen, { name: "c", url: c.url });
  await using a = await startHop("a", seen, { name: "b", url: b.url });
  const fields: Record<string, JsonValue> = {
    tenant_id: "tenant_acme",
    flags: ["new checkout", { "a.b": [1.5, null, true] }],
    "name with spaces, ü and =": " ",
    "json like": "json:1",
    "clew-route": "anna",
  };
  const client = createClient({ url: a.url, service: "edge" });
  await context.with(fields, () => client.call(hop("a"), {}));
  client.close();
  assert.deepEqual(seen, [
    { at: "a", caller: "edge", fields },
    { at: "b", caller: "a", fields },
    { at: "c", caller: "b", fields },
  ]);
});

test("two requests at once never see each other's context", async () => {
  const seen: Seen[] = [];
  await using b = await startHop("b", seen);
  await using a = await startHop("a", seen, { name: "b", url: b.url });
  const client = createClient({ url: a.url, service: "edge" });
  const call = (n: number): Promise<unknown> => context.with({ n }, () => client.call(hop("a"), {}));
  await Promise.all(Array.from({ length: 20 }, (_, n) => call(n)));
  client.close();
  for (const at of ["a", "b"]) {
    const numbers = seen.filter((entry) => entry.at === at).map(({ fields }) => (fields as { n: number }).n);
    assert.deepEqual(
      numbers.sort((x, y) => x - y),
      [...Array(20).keys()],
    );
  }
});

/** Posts an envelope as another implementation might, and returns the context that the handler saw. */
async function contextOf(
  envelope: JsonValue | undefined,
  headers: Record<string, string>,
): Promise<{ context: Context | undefined; faults: string[] }> {
  let found: Context | undefined;
  const faults: string[] = [];
  const server = createServer({ service: "a", onContextFault: (fault) => faults.push(fault) });
  server.implement(hop("a"), (_, call) => {
    found = call.context;
  });
  await using service = await listen(server);
  const body = JSON.stringify({
    protocol: { name: "forrst", version: "0.1.0" },
    id: "x",
    call: { function: "a.hop" },
    context: envelope,
  });
  const response = await fetch(service.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  assert.equal(response.status, 200);
  await response.arrayBuffer();
  return { context: found, faults };
}

test("body and headers are merged: the body wins, but for clew- fields, which only headers carry", async () => {
  const { context: merged } = await contextOf(
    { caller: "body", tenant: "body", "clew-route": "body" },
    { baggage: "tenant=header,only=header,clew-route=header", "x-forrst-caller": "header" },
  );
  assert.equal(merged?.caller, "body");
  assert.deepEqual(Object.fromEntries(merged?.entries() ?? []), {
    tenant: "body",
    only: "header",
    "clew-route": "header",
  });
});

test("what came through an edge is believed from the headers only", async () => {
  const { context: merged } = await contextOf({ tenant: "forged" }, { baggage: "lang=de", "clew-edge": "1" });
  assert.deepEqual(Object.fromEntries(merged?.entries() ?? []), { lang: "de" });
});

test("a call without context is reported as missing, and served", async () => {
  assert.deepEqual((await contextOf(undefined, {})).faults, ["missing"]);
  assert.deepEqual((await contextOf({ caller: "php" }, {})).faults, []);
});

test("an external destination gets no context, in headers or body", async () => {
  const bodies: string[] = [];
  const names: string[][] = [];
  await using third = await startUpstream({
    handle(request, response) {
      names.push(Object.keys(request.headers));
      request.on("data", (bytes: Buffer) => bodies.push(bytes.toString()));
      request.on("end", () => response.end());
    },
  });
  const external = { internal: ["example.internal"], replace: true };
  const client = createClient({ url: third.url, service: "a", destinations: external });
  const scope = fromHeaders({
    baggage: "secret=1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  });
  await assert.rejects(context.run(scope, () => client.call(hop("a"), {})));
  client.close();
  assert.equal(bodies.join("").includes("secret"), false);
  assert.equal("context" in (JSON.parse(bodies.join("")) as object), false);
  for (const name of ["baggage", "traceparent", "x-forrst-caller"])
    assert.equal(names.flat().includes(name), false);
});

test("a stream's handler runs in the context of its request, in every step", async () => {
  const watch = { name: "a.watch", version, arguments: nothing, event: anything };
  const server = createServer({ service: "a", onContextFault: () => {} });
  server.implementStream(watch, async function* () {
    yield context.get("n");
    await new Promise(setImmediate);
    yield context.get("n");
  });
  await using service = await listen(server);
  const client = createClient({ url: service.url, service: "b" });
  const events = await context.with({ n: 7 }, async () => {
    const all: unknown[] = [];
    for await (const event of client.stream(watch, {})) all.push(event);
    return all;
  });
  assert.deepEqual(events, [7, 7]);
});
