import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { createManagerClient } from "@clew/control";
import { rawExchange } from "@clew/testing";
import { pino } from "pino";
import { createMemoryRegistry } from "../registry/memory.ts";
import { type ManagerOptions, startManager } from "../start-manager.ts";
import { codeOf, startFixture } from "./manager-fixture.ts";

async function refusedStart(
  options: Partial<ManagerOptions>,
): Promise<{ code: string; message: string; hint: string }> {
  const registry = await createMemoryRegistry();
  try {
    await startManager({
      listen: { host: "127.0.0.1", port: 0 },
      environment: "test",
      routingKeys: "open",
      registry,
      log: pino({ level: "silent" }),
      ...options,
    });
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  } finally {
    await registry.close();
  }
  throw new Error("the start was expected to be refused");
}

async function raw(port: number, text: string): Promise<string> {
  return (await rawExchange(port, Buffer.from(text))).toString();
}

test("without a token the manager listens on loopback alone, and says why", async () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "example.com"]) {
    const { code, message, hint } = await refusedStart({ listen: { host, port: 0 } });
    assert.equal(code, "E_MANAGER_EXPOSED");
    assert.match(message, new RegExp(host.replaceAll(".", "\\.")));
    assert.match(hint, /token/);
  }
});

test("a start that cannot be is refused by name: nothing to dial, a port in use", async () => {
  const token = "secret";
  assert.equal(
    (await refusedStart({ token, listen: { host: "0.0.0.0", port: 0 } })).code,
    "E_MANAGER_ADVERTISE",
  );
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const { code, hint } = await refusedStart({ listen: { host: "127.0.0.1", port } });
  assert.deepEqual([code, /Another program/.test(hint)], ["E_MANAGER_LISTEN", true]);
  other.close();
});

test("with a token, a call without it or with another one is refused, and health of the process is not a secret", async () => {
  await using fixture = await startFixture({ token: "right" });
  const { url } = fixture.manager;
  assert.equal((await fixture.client.health({})).environment, "test");
  for (const token of [undefined, "wrong", "right-and-more"]) {
    const client = createManagerClient({ url, token, service: "test" });
    await assert.rejects(client.health({}), { code: "E_UNAUTHENTICATED", status: 401, hint: /Bearer/ });
    assert.equal(
      await codeOf(
        client.tables
          .watch({ service: "x", agent: { id: "a", ports: {}, env: {} } })
          [Symbol.asyncIterator]()
          .next(),
      ),
      "E_UNAUTHENTICATED",
    );
    client.close();
  }
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("a page whose name was made to resolve to loopback is refused: by its Host, its Origin, on every path", async () => {
  await using fixture = await startFixture();
  const { port } = fixture.manager.address;
  const refused = /^HTTP\/1\.1 403 [\s\S]*E_HOST_REFUSED/;
  for (const path of ["/", "/healthz", "/nothing"]) {
    assert.match(await raw(port, `GET ${path} HTTP/1.1\r\nHost: evil.example\r\n\r\n`), refused);
  }
  const post = (headers: string) =>
    raw(
      port,
      `POST /forrst HTTP/1.1\r\n${headers}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
  assert.match(await post("Host: evil.example"), refused);
  assert.match(await post("Host: 127.0.0.1.evil.example"), refused);
  assert.match(await post("Host: localhost\r\nOrigin: http://evil.example"), refused);
  assert.match(await post("Host: localhost\r\nOrigin: null"), refused);
  assert.doesNotMatch(
    await post(`Host: LocalHost:${port}\r\nOrigin: http://console.localhost:8000`),
    refused,
  );
  assert.doesNotMatch(await post(`Host: [::1]:${port}`), refused);
  const upgrade =
    "GET /clew-tunnel HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: clew-tunnel/1\r\n\r\n";
  assert.match(await raw(port, upgrade), refused);
});

test("a person who opens the manager's address is told what it is", async () => {
  await using fixture = await startFixture();
  const { url } = fixture.manager;
  assert.match(await (await fetch(url)).text(), /Clew manager of the environment "test"/);
  const lost = await fetch(`${url}/elsewhere`);
  assert.deepEqual([lost.status, /\/forrst/.test(await lost.text())], [404, true]);
});

test("closing frees the port and ends watches, calls of kept connections and silent connections", async () => {
  const fixture = await startFixture();
  const { host, port } = fixture.manager.address;
  await fixture.client.health({});
  const agent = await fixture.watch("pricing");
  const silent = connect(port, host);
  await once(silent, "connect");
  await fixture.manager.close({ graceMs: 50 });
  await assert.rejects(
    agent.when(() => false),
    /ended/,
  );
  await once(silent.resume(), "close");
  const next = createServer().listen(port, host);
  await once(next, "listening");
  next.close();
  await fixture[Symbol.asyncDispose]();
});
