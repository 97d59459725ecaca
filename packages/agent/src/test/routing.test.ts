import assert from "node:assert/strict";
import { test } from "node:test";
import { rawClient, until } from "@clew/testing";
import { ask, createOverride, type Fixture, keyed, startFixture } from "./agent-fixture.ts";

async function publish(
  { manager, port }: Fixture,
  by: string,
  ...overrides: ReturnType<typeof createOverride>[]
): Promise<void> {
  manager.publish({ overrides });
  await until(async () => (await ask(port, keyed)).by === by, { what: `answers by ${by}` });
}

test("on one connection, requests with the route's key go to the override and all others to the live service", async () => {
  await using fixture = await startFixture();
  await publish(fixture, "mine", createOverride(fixture.mine));
  await using client = await rawClient(fixture.port);
  const order = ["mine", undefined, "mine", "other", undefined, "mine"];
  for (const [index, route] of order.entries()) {
    const key = route === undefined ? "" : `baggage: tenant_id=acme,clew-route=${route}\r\n`;
    client.write(`GET /${index} HTTP/1.1\r\nHost: orders\r\n${key}\r\n`);
    await client.waitFor(`"GET","target":"/${index}"`);
  }
  const answers = [...client.received.toString().matchAll(/"upstream":"(\w+)"/g)].map((match) => match[1]);
  assert.deepEqual(answers, ["mine", "live", "mine", "live", "live", "mine"]);
});

test("a request arrives header for header as it was sent, overridden or not (I1)", async () => {
  await using fixture = await startFixture();
  await publish(fixture, "mine", createOverride(fixture.mine));
  const sent = [
    ["Host", "orders.example"],
    ["X-Forrst-Caller", "storefront"],
    ["cookie", "a=1"],
    ["BAGGAGE", "tenant_id=acme;p=1 , odd%2Dname=%C3%BC"],
    ["Cookie", "b=2"],
    ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
    ["Accept-Encoding", ""],
    ["baggage", "user_id=42"],
  ];
  for (const [by, extra] of [
    ["live", []],
    ["mine", [["Baggage", "clew-route=mine"]]],
  ] as const) {
    const headers = [...sent, ...extra];
    await using client = await rawClient(fixture.port);
    client.write(
      `GET /a?b HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
    );
    const received = (await client.waitFor('"body":""}')).toString();
    const echo = JSON.parse(received.slice(received.indexOf("{")));
    assert.equal(echo.upstream, by);
    const hopByHop = echo.rawHeaders.findIndex(
      (name: string, at: number) => at % 2 === 0 && name.toLowerCase() === "connection",
    );
    if (hopByHop >= 0) echo.rawHeaders.splice(hopByHop, 2);
    assert.deepEqual(echo.rawHeaders, headers.flat());
  }
});

test("a rule selects by field, header, path and method where there is no key", async () => {
  await using fixture = await startFixture();
  const { manager, port } = fixture;
  manager.publish({
    rules: [
      {
        id: "r1",
        service: "orders",
        port: "http",
        owner: "ann",
        priority: 0,
        conditions: [
          { on: "field", name: "tenant_id", equals: "acme" },
          { on: "field", name: "caller", equals: "storefront" },
          { on: "header", name: "x-beta", pattern: "[0-9]+" },
          { on: "path", prefix: "/orders/" },
          { on: "method", equals: "POST" },
        ],
        override: createOverride(fixture.mine),
        createdAt: 1,
      },
    ],
  });
  const headers = {
    baggage: "tenant_id=acme",
    "x-beta": "1",
    "x-forrst-caller": "storefront",
    "content-length": 0,
  };
  await until(async () => (await ask(port, headers, "/orders/1", "POST")).by === "mine");
  assert.equal((await ask(port, headers, "/orders/1", "PUT")).by, "live");
  assert.equal((await ask(port, headers, "/order", "POST")).by, "live");
  assert.equal((await ask(port, { ...headers, baggage: "tenant_id=acme2" }, "/orders/1", "POST")).by, "live");
  assert.equal((await ask(port, { ...headers, "x-beta": "1a" }, "/orders/1", "POST")).by, "live");
  assert.equal((await ask(port, { ...headers, "x-forrst-caller": "x" }, "/orders/1", "POST")).by, "live");
  const withKey = { ...headers, baggage: "tenant_id=acme,clew-route=other" };
  assert.equal((await ask(port, withKey, "/orders/1", "POST")).by, "live", "a key switches rules off");
});

test("the kept connections of an override that goes away are ended; when it comes back it has new ones", async () => {
  await using fixture = await startFixture();
  await publish(fixture, "mine", createOverride(fixture.mine));
  assert.notEqual(fixture.mine.open, 0);
  await publish(fixture, "live");
  await until(() => fixture.mine.open === 0);
  await publish(fixture, "mine", createOverride(fixture.mine));
});

test("a WebSocket with the key reaches the override, frames and all", async () => {
  await using fixture = await startFixture();
  await publish(fixture, "mine", createOverride(fixture.mine));
  const requestsBefore = fixture.mine.requests.length;
  await using client = await rawClient(fixture.port);
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  client.write(
    `GET /socket HTTP/1.1\r\nHost: orders\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nbaggage: clew-route=mine\r\n\r\n`,
  );
  await client.waitFor("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  // One masked text frame, "hi", with a mask of zeros; it comes back unmasked.
  client.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  await client.waitFor((received) => received.subarray(-4).equals(Buffer.from([0x81, 0x02, 0x68, 0x69])));
  assert.deepEqual(fixture.mine.requests.slice(requestsBefore), ["GET /socket"]);
});
