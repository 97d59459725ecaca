// Participate mode over real connections. The rules are W3C Trace Context level 2, §4.3.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type OutgoingHttpHeaders, request } from "node:http";
import { json } from "node:stream/consumers";
import { after, test } from "node:test";
import { startUpstream } from "@clew/testing";
import { register } from "../api.ts";
import { contextHeaders } from "./context-headers.ts";
import { listen } from "./listen.ts";

const registration = register({ service: "test", warnMissing: false, participate: true });
after(() => registration.disable());

type Sent = Record<string, string>;
type Answer = { rawHeaders: string[] };

/** What two calls by http and one by fetch carry, made while a request with these headers is served. */
async function callsFrom(headers: OutgoingHttpHeaders): Promise<Sent[]> {
  await using upstream = await startUpstream();
  const byHttp = async (): Promise<Sent> => {
    const [response] = await once(get(upstream.url), "response");
    return contextHeaders(((await json(response)) as Answer).rawHeaders);
  };
  const server = createServer(async (_req, res) => {
    const answer = (await (await fetch(upstream.url)).json()) as Answer;
    res.end(JSON.stringify([await byHttp(), await byHttp(), contextHeaders(answer.rawHeaders)]));
  });
  await using listening = await listen(server);
  const [response] = await once(
    request({ host: "127.0.0.1", port: listening.port, headers: { traceparent: "", ...headers } }).end(),
    "response",
  );
  return (await json(response)) as Sent[];
}

const ids = (sent: Sent[]): [traces: Set<unknown>, parents: Set<unknown>] => [
  new Set(sent.map(({ traceparent }) => traceparent?.slice(3, 35))),
  new Set(sent.map(({ traceparent }) => traceparent?.slice(36, 52))),
];

test("each outgoing request has a parent-id of its own, in the trace that came, with its state and random flag", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const sent = await callsFrom({
    traceparent: `00-${traceId}-b7ad6b7169203331-03`,
    tracestate: "a=1,b=2",
    baggage: "tenant_id=acme",
  });
  const [traces, parents] = ids(sent);
  assert.deepEqual([[...traces], parents.size, parents.has("b7ad6b7169203331")], [[traceId], 3, false]);
  for (const { traceparent, tracestate, baggage } of sent) {
    assert.deepEqual([traceparent?.slice(52), tracestate, baggage], ["-03", "a=1,b=2", "tenant_id=acme"]);
  }
});

for (const [fault, traceparent] of [
  ["no traceparent", ""],
  ["a malformed traceparent", "00-xyz"],
  ["an all-zero trace id", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
  ["the forbidden version ff", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
] as const) {
  test(`${fault}: one new trace for all that the request leads to, without the state, with the fields`, async () => {
    const sent = await callsFrom({ traceparent, tracestate: "a=1", baggage: "tenant_id=acme" });
    const [traces, parents] = ids(sent);
    assert.deepEqual([traces.size, parents.size], [1, 3]);
    assert.equal(traces.has("0af7651916cd43dd8448eb211c80319c"), false);
    for (const { traceparent: own, tracestate, baggage } of sent) {
      assert.match(String(own), /^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/);
      assert.deepEqual([tracestate, baggage], [undefined, "tenant_id=acme"]);
    }
  });
}

test("a traceparent that the application sets stays, and a call outside of any request begins a trace", async () => {
  await using upstream = await startUpstream();
  const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const sendWith = async (headers: Record<string, string>): Promise<Sent> =>
    contextHeaders(((await (await fetch(upstream.url, { headers })).json()) as Answer).rawHeaders);
  assert.equal((await sendWith({ traceparent: own }))["traceparent"], own);
  const [first, second] = [await sendWith({}), await sendWith({})];
  assert.equal(ids([first, second])[0].size, 2);
});
