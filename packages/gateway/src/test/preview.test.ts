import assert from "node:assert/strict";
import { test } from "node:test";
import { rawClient, until } from "@clew/testing";
import { ask, createPreview, type Fixture, headerSeen, startFixture } from "./gateway-fixture.ts";

async function publish({ manager, port }: Fixture, ...slugs: string[]): Promise<void> {
  manager.publish(slugs.map((slug) => createPreview(slug)));
  const host = `${slugs[0]}.preview.localhost`;
  await until(async () => (await ask(port, { host })).status === 200, { what: `preview ${slugs[0]}` });
}

test("a preview's host puts its routing key first and keeps the host; a key from outside does not count there", async () => {
  await using fixture = await startFixture({ accept: ["tenant_id"] });
  await publish(fixture, "demo");
  const host = `Demo.preview.localhost:${fixture.port}`;
  const { seen } = await ask(fixture.port, { host, baggage: "tenant_id=a,clew-route=other" });
  assert.equal(headerSeen(seen, "host"), host);
  assert.equal(headerSeen(seen, "baggage"), "clew-route=mine,tenant_id=a");
  assert.equal(headerSeen((await ask(fixture.port)).seen, "baggage"), undefined);
});

test("an absolute target's host is a preview's as well", async () => {
  await using fixture = await startFixture();
  await publish(fixture, "demo");
  await using client = await rawClient(fixture.port);
  client.write("GET http://demo.preview.localhost/ HTTP/1.1\r\nHost: demo.preview.localhost\r\n\r\n");
  await client.waitFor("clew-route=mine");
});

test("cookies and redirects of a previewed page pass as they are", async () => {
  await using fixture = await startFixture(
    {},
    {
      handle: (request, response) => {
        response.setHeader("set-cookie", ["a=1; Path=/", `host=${request.headers.host}`]);
        response.writeHead(302, { location: "/next" }).end();
      },
    },
  );
  fixture.manager.publish([createPreview("demo")]);
  const answer = await until(async () => {
    const got = await ask(fixture.port, { host: "demo.preview.localhost" });
    return got.status === 302 && got;
  });
  assert.equal(answer.headers.location, "/next");
  assert.deepEqual(answer.headers["set-cookie"], ["a=1; Path=/", "host=demo.preview.localhost"]);
});

test("a WebSocket on a preview's host passes, frames and all, with the routing key", async () => {
  await using fixture = await startFixture();
  await publish(fixture, "demo");
  await using client = await rawClient(fixture.port);
  client.write(
    "GET /socket HTTP/1.1\r\nHost: demo.preview.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  await client.waitFor("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  client.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  await client.waitFor((received) => received.subarray(-4).equals(Buffer.from([0x81, 0x02, 0x68, 0x69])));
});

test("an unknown preview is a page that says what to do, in a browser and elsewhere", async () => {
  await using fixture = await startFixture();
  await fixture.gateway.previewsReceived;
  const host = "nobody.preview.localhost";
  const page = await ask(fixture.port, { host, accept: "text/html,application/xhtml+xml" });
  assert.deepEqual([page.status, page.headers["clew-error"]], [404, "E_PREVIEW_UNKNOWN"]);
  assert.match(page.headers["content-type"] ?? "", /text\/html/);
  assert.match(page.body, /<h1>There is no such preview<\/h1>/);
  assert.match(page.body, /color-scheme: light dark/);
  assert.doesNotMatch(page.body, /<script/);
  const plain = await ask(fixture.port, { host });
  assert.match(plain.headers["content-type"] ?? "", /text\/plain/);
  assert.match(plain.body, /^There is no such preview\n\n.*\n.*clew preview list/);
  assert.equal((await ask(fixture.port, { host: "preview.localhost" })).status, 404);
  assert.deepEqual(fixture.ingress.requests, []);
});

test("a preview that was revoked is gone, and so is one whose time is over while the manager is away", async () => {
  await using fixture = await startFixture();
  await publish(fixture, "revoked", "kept");
  fixture.manager.publish([createPreview("kept"), { ...createPreview("short"), remainingMs: 200 }]);
  const hostOf = (slug: string): { host: string } => ({ host: `${slug}.preview.localhost` });
  await until(async () => (await ask(fixture.port, hostOf("revoked"))).status === 410);
  await fixture.manager.stop();
  await until(async () => (await ask(fixture.port, hostOf("short"))).status === 410);
  assert.equal((await ask(fixture.port, hostOf("kept"))).status, 200, "the last list stays in use (I2)");
});

test("a gateway that never heard from a manager says so on preview hosts and serves all others", async () => {
  await using fixture = await startFixture({ manager: { url: "http://127.0.0.1:1" } });
  const answer = await ask(fixture.port, { host: "demo.preview.localhost" });
  assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "5"]);
  assert.equal((await ask(fixture.port)).status, 200);
});
