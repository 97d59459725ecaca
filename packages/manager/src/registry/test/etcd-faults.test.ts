import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { after, before, test } from "node:test";
import { freePort, startEtcd, type TestEtcd, until } from "@clew/testing";
import { createEtcdRegistry, type EtcdRegistryOptions } from "../etcd.ts";
import type { Registry } from "../registry.ts";
import type { RegistryReport } from "../report.ts";

let server: TestEtcd;
before(async () => {
  server = await startEtcd();
});
after(() => server[Symbol.asyncDispose]());

interface Opened extends AsyncDisposable {
  readonly registry: Registry;
  readonly reports: RegistryReport[];
  told(kind: RegistryReport["kind"]): number;
}

async function open(options: Partial<EtcdRegistryOptions> = {}): Promise<Opened> {
  const reports: RegistryReport[] = [];
  const registry = await createEtcdRegistry({
    endpoints: [server.url],
    prefix: `/test/${randomUUID()}`,
    onReport: (report) => reports.push(report),
    ...options,
  });
  return {
    registry,
    reports,
    told: (kind) => reports.filter((report) => report.kind === kind).length,
    [Symbol.asyncDispose]: () => registry.close(),
  };
}

/** Collects `key=value` until `last`. */
async function follow(registry: Registry, afterRevision: number, last: string): Promise<string[]> {
  const told: string[] = [];
  for await (const event of registry.watch("", afterRevision, new AbortController().signal)) {
    told.push(event.kind === "put" ? `${event.entry.key}=${event.entry.value}` : event.kind);
    if (told.at(-1) === last) break;
  }
  return told;
}

/** A way to the server that can be cut or go dumb. */
async function startProxy(onConnection: (client: Socket, upstream: Socket) => void) {
  const proxy: Server = createTcpServer((client) => {
    const upstream = connect(Number(new URL(server.url).port), "127.0.0.1");
    client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.pipe(upstream);
    onConnection(client, upstream);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void proxy.close(),
  };
}

test("with no server, calls say so, name the endpoints and may be tried again", async () => {
  const endpoints = [`http://127.0.0.1:${await freePort()}`, `http://localhost:${await freePort()}`];
  await using subject = await open({ endpoints });
  const unreachable = (call: Promise<unknown>): Promise<void> =>
    assert.rejects(call, (error: Error & { code?: string; retryable?: boolean }) => {
      assert.deepEqual([error.code, error.retryable], ["E_REGISTRY_UNREACHABLE", true]);
      return endpoints.every((endpoint) => error.message.includes(endpoint));
    });
  await unreachable(subject.registry.get("a"));
  await unreachable(subject.registry.put("a", "1"));
  await unreachable(subject.registry.lease(1_000));
  assert.equal(subject.told("endpoint-failed"), 2);
});

test("a dead endpoint is passed over, by writes and watches too", async () => {
  const endpoints = [`http://127.0.0.1:${await freePort()}`, `${server.url}/`];
  const prefix = `/test/${randomUUID()}`;
  await using writer = await open({ endpoints, prefix });
  const result = await writer.registry.put("a", "1");
  assert.ok(result.ok);
  assert.equal(writer.told("endpoint-failed"), 1);
  await using watcher = await open({ endpoints, prefix });
  assert.deepEqual(await follow(watcher.registry, result.revision - 1, "a=1"), ["a=1"]);
  assert.deepEqual([watcher.told("watch-broken"), watcher.told("watch-resumed")], [1, 1]);
});

test("a server that says nothing makes writes indeterminate and reads unreachable", async () => {
  await using subject = await open({ timeoutMs: 250 });
  await subject.registry.put("a", "1");
  server.signal("SIGSTOP");
  try {
    await assert.rejects(subject.registry.put("a", "2"), {
      code: "E_REGISTRY_INDETERMINATE",
      retryable: false,
    });
    await assert.rejects(subject.registry.get("a"), { code: "E_REGISTRY_UNREACHABLE" });
  } finally {
    server.signal("SIGCONT");
  }
  assert.ok(await until(() => subject.registry.get("a")));
});

test("reads go on at the next endpoint when one hangs", async () => {
  await using dumb = await startProxy(() => {});
  await using subject = await open({ endpoints: [dumb.url, server.url], timeoutMs: 250 });
  await assert.rejects(subject.registry.put("a", "1"), { code: "E_REGISTRY_INDETERMINATE" });
  assert.ok((await subject.registry.put("a", "2")).ok);
  await using other = await open({ endpoints: [dumb.url, server.url], timeoutMs: 250 });
  assert.deepEqual((await other.registry.list("")).entries, []);
});

test("a watch goes on through a killed and restarted server, with each event once", async () => {
  await using subject = await open();
  const { registry } = subject;
  const { revision } = await registry.list("");
  const watching = follow(registry, revision, "end=");
  for (let n = 0; n < 20; n += 1) await registry.put("a", `${n}`);
  await server.kill();
  await until(() => subject.told("watch-broken"));
  await assert.rejects(registry.put("a", "lost"), { code: "E_REGISTRY_UNREACHABLE" });
  await server.restart();
  for (let n = 20; n < 40; n += 1) await registry.put("a", `${n}`);
  await registry.put("end", "");
  assert.deepEqual(await watching, [...Array.from({ length: 40 }, (_, n) => `a=${n}`), "end="]);
  assert.deepEqual([subject.told("watch-broken"), subject.told("watch-resumed")], [1, 1]);
});

test("a watch whose connection is cut anywhere, again and again, tells each event once", {
  timeout: 20_000,
}, async () => {
  let cuts = 0;
  await using cutting = await startProxy((client, upstream) => {
    // In the head, in the first message, in later ones; at last all 60 events in one message fit.
    let left = 100 + ((cuts * 1_300) % 20_000);
    upstream.on("data", (bytes: Buffer) => {
      client.write(bytes.subarray(0, left));
      left -= bytes.length;
      if (left > 0) return;
      cuts += 1;
      client.end();
    });
  });
  const prefix = `/test/${randomUUID()}`;
  await using writer = await open({ prefix });
  await using watcher = await open({ prefix, endpoints: [cutting.url] });
  const { revision } = await writer.registry.list("");
  const watching = follow(watcher.registry, revision, "a=59");
  for (let n = 0; n < 60; n += 1) await writer.registry.put("a", `${n}`);
  assert.deepEqual(
    await watching,
    Array.from({ length: 60 }, (_, n) => `a=${n}`),
  );
  assert.ok(cuts > 3, `${cuts} cuts`);
});

test("a watch on a connection that went dumb is opened anew", async () => {
  let connections = 0;
  await using dumb = await startProxy((client, upstream) => {
    connections += 1;
    if (connections > 1) upstream.pipe(client);
    // The first tells that the watch was made, and then nothing.
    else upstream.once("data", (bytes) => client.write(bytes));
  });
  const prefix = `/test/${randomUUID()}`;
  await using writer = await open({ prefix });
  await using watcher = await open({ prefix, endpoints: [dumb.url], watchSilenceMs: 300 });
  const watching = follow(watcher.registry, (await writer.registry.list("")).revision, "a=1");
  await until(() => connections === 1);
  await writer.registry.put("a", "1");
  assert.deepEqual(await watching, ["a=1"]);
  assert.equal(watcher.told("watch-broken"), 0);
});

test("another program at the endpoint is told from an etcd", async () => {
  let status = 404;
  const other = createServer((_, response) => response.writeHead(status).end("<html>")).listen(
    0,
    "127.0.0.1",
  );
  await once(other, "listening");
  await using subject = await open({
    endpoints: [`http://127.0.0.1:${(other.address() as AddressInfo).port}`],
  });
  await assert.rejects(subject.registry.get("a"), { code: "E_REGISTRY_REFUSED" });
  await assert.rejects(follow(subject.registry, 0, ""), { code: "E_REGISTRY_REFUSED" });
  status = 502;
  await assert.rejects(subject.registry.get("a"), { code: "E_REGISTRY_UNREACHABLE" });
  await assert.rejects(subject.registry.put("a", "1"), { code: "E_REGISTRY_INDETERMINATE" });
  other.close();
});

test("registries whose prefixes begin alike do not see each other", async () => {
  const prefix = `/test/${randomUUID()}`;
  await using short = await open({ prefix });
  await using long = await open({ prefix: `${prefix}b` });
  await long.registry.put("a", "1");
  assert.deepEqual((await short.registry.list("")).entries, []);
  await using same = await open({ prefix: `${prefix}/` });
  await short.registry.put("a", "2");
  assert.equal((await same.registry.get("a"))?.value, "2");
});

test("an endpoint or prefix that cannot work is refused at once", async () => {
  const refused = (options: Partial<EtcdRegistryOptions>): Promise<void> =>
    assert.rejects(open(options), { code: "E_REGISTRY_ARGUMENT" });
  await refused({ endpoints: [] });
  await refused({ endpoints: ["127.0.0.1:2379"] });
  await refused({ prefix: "" });
  await refused({ prefix: "/" });
});
