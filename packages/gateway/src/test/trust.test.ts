import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoutingKeys } from "@clew/control";
import { rawExchange, until } from "@clew/testing";
import { ask, type Fixture, headerSeen, pairs, startFixture } from "./gateway-fixture.ts";

/** What a manager sends that signs routing keys; here nobody has a good one. */
const signed: RoutingKeys = { mode: "signed", environment: "test", publicKeys: {} };

/** Headers as the ingress saw them, of a request written byte by byte. */
async function send({ port }: Fixture, ...lines: string[]): Promise<Array<readonly [string, string]>> {
  const head = ["GET / HTTP/1.1", "Host: shop.example", "Connection: close", ...lines];
  const answer = (await rawExchange(port, `${head.join("\r\n")}\r\n\r\n`)).toString();
  return pairs(JSON.parse(answer.slice(answer.indexOf("{"))).rawHeaders);
}

test("nothing that others could have made up gets in, however it is written (I5)", async () => {
  await using fixture = await startFixture({}, {}, signed);
  const seen = await send(
    fixture,
    "baggage: tenant_id=evil",
    "BaGGaGe: user_id=1,clew-route=mine",
    "BAGGAGE:clew-explain=n",
    "X-Forrst-Caller: admin",
    "x-forrst-caller: admin2",
    "Clew-Edge: 0",
    "clew-edge: no",
  );
  assert.equal(headerSeen(seen, "baggage"), undefined);
  assert.equal(headerSeen(seen, "x-forrst-caller"), undefined);
  assert.equal(headerSeen(seen, "clew-edge"), "1");
});

test("naming a header of the gateway's in Connection does not take it out", async () => {
  await using fixture = await startFixture();
  const seen = await send(
    fixture,
    "Connection: clew-edge, x-forwarded-for, baggage",
    "baggage: clew-route=mine",
  );
  assert.equal(headerSeen(seen, "clew-edge"), "1");
  assert.equal(headerSeen(seen, "x-forwarded-for"), "127.0.0.1");
});

test("the trace, cookies and the host go through as they came", async () => {
  await using fixture = await startFixture();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const seen = await send(
    fixture,
    `traceparent: ${traceparent}`,
    "TraceState: a=1,b=2",
    "Cookie: c=1",
    "X-Any: x",
  );
  assert.deepEqual(seen.slice(0, 5), [
    ["host", "shop.example"],
    ["traceparent", traceparent],
    ["tracestate", "a=1,b=2"],
    ["cookie", "c=1"],
    ["x-any", "x"],
  ]);
});

test("fields on the accept list are kept, from all lines, and no others", async () => {
  await using fixture = await startFixture({ accept: ["tenant_id", "flags", "absent"] }, {}, signed);
  const seen = await send(
    fixture,
    "baggage: user_id=1, tenant_id=a%20b",
    "Baggage: flags=json:%5B1%5D,clew-route=mine",
  );
  assert.equal(headerSeen(seen, "baggage"), "tenant_id=a%20b,flags=json:[1]");
});

test("in open mode a plain routing key and clew-explain are taken from outside, the key first; a malformed key is not", async () => {
  await using fixture = await startFixture({ accept: ["tenant_id"] });
  const seen = await send(fixture, "baggage: user_id=1,tenant_id=a,clew-explain=n,clew-route=mine");
  assert.match(headerSeen(seen, "baggage") ?? "", /^clew-route=mine,/);
  assert.deepEqual(headerSeen(seen, "baggage")?.split(",").sort(), [
    "clew-explain=n",
    "clew-route=mine",
    "tenant_id=a",
  ]);
  const malformed = await send(fixture, `baggage: clew-route=No%20Route,clew-explain=${"n".repeat(129)}`);
  assert.equal(headerSeen(malformed, "baggage"), undefined);
});

test("an internal peer, such as a load balancer, is believed who asked; the list grows by the peer", async () => {
  await using fixture = await startFixture();
  const plain = await send(fixture);
  assert.deepEqual(
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].map((name) => headerSeen(plain, name)),
    ["127.0.0.1", "http", "shop.example"],
  );
  const balanced = await send(
    fixture,
    "X-Forwarded-For: 198.51.100.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: www.example",
  );
  assert.deepEqual(
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].map((name) => headerSeen(balanced, name)),
    ["198.51.100.7, 127.0.0.1", "https", "www.example"],
  );
});

test("an explained request is reported under its nonce; where keys are signed, one without a key is not", async () => {
  await using open = await startFixture();
  await ask(open.port, { baggage: "clew-explain=n1,clew-route=mine" });
  const report = await until(() => open.manager.reports[0]);
  const { nonce, service, agent, destination, reason, route, status } = report;
  assert.deepEqual(
    [nonce, service, agent, destination, reason, route, status],
    ["n1", "gateway", open.gateway.id, "live", "route-elsewhere", "mine", 200],
  );
  await using closed = await startFixture({}, {}, signed);
  await ask(closed.port, { baggage: "clew-explain=n1" });
  assert.deepEqual(closed.manager.reports, []);
});
