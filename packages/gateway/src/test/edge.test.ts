import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, rename } from "node:fs/promises";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { rawClient, temporaryDirectory, until } from "@clew/testing";
import type { GatewayOptions } from "../gateway-options.ts";
import { startGateway } from "../start-gateway.ts";
import { makeAuthority } from "./certificates.ts";
import { ask, createPreview, headerSeen, publish, silentLog, startFixture } from "./gateway-fixture.ts";
import { visitor } from "./visitor.ts";

const host = "demo.preview.localhost";

/** For what is refused at the start: nothing is ever asked of its ingress or manager. */
const refusable: GatewayOptions = {
  listen: { host: "127.0.0.1", port: 0 },
  ingress: { host: "127.0.0.1", port: 1, service: "storefront" },
  accept: [],
  manager: { url: "http://127.0.0.1:1" },
  log: silentLog,
};

async function secureAsk(
  port: number,
  lines: readonly string[],
  options: {
    readonly ca: string;
    readonly servername: string;
    readonly cert?: string;
    readonly key?: string;
  },
): Promise<{ readonly text: string; readonly name: string }> {
  const socket = connect({ host: "127.0.0.1", port, ...options });
  await once(socket, "secureConnect");
  const name = String((socket as TLSSocket).getPeerCertificate().subject["CN"]);
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  socket.write(`GET / HTTP/1.1\r\nConnection: close\r\n${lines.join("\r\n")}\r\n\r\n`);
  await once(socket, "close");
  return { text: Buffer.concat(pieces).toString(), name };
}

test("over TLS each name has its certificate, cookies are Secure, services know, and a new certificate is taken up", async () => {
  await using folder = await temporaryDirectory();
  const authority = makeAuthority(folder.path);
  const shop = authority.issue("shop.example");
  const wild = authority.issue("*.preview.localhost");
  const tls = {
    certificates: [
      { ...shop, hosts: ["shop.example"] },
      { ...wild, hosts: ["*.preview.localhost"] },
    ],
  } as const;
  await using fixture = await startFixture({ tls });
  assert.match(fixture.gateway.url, /^https:/);
  assert.match(fixture.gateway.previewUrl, /^https:\/\/\{slug\}\.preview\.localhost:/);
  fixture.manager.publish([createPreview("demo")]);
  const get = (servername: string, ...lines: string[]) =>
    secureAsk(fixture.port, [`Host: ${servername}`, ...lines], { ca: authority.ca, servername });
  const page = await until(async () => {
    const got = await get(host, "Accept: text/html");
    return got.text.startsWith("HTTP/1.1 200") && got;
  });
  assert.equal(page.name, "*.preview.localhost");
  assert.match(page.text, /set-cookie: __Host-clew-visit=demo\.[^\r]*; Secure\r/i);
  const live = await get("shop.example");
  assert.equal(live.name, "shop.example");
  const { rawHeaders } = JSON.parse(live.text.slice(live.text.indexOf("{")));
  assert.equal(rawHeaders[rawHeaders.indexOf("x-forwarded-proto") + 1], "https");
  assert.match(rawHeaders[rawHeaders.indexOf("forwarded") + 1], /proto=https$/);

  const newer = authority.issue("*.preview.localhost", "newer");
  await rename(newer.key, wild.key);
  assert.throws(() => fixture.gateway.reload(), { code: "E_GATEWAY_TLS" }, "the key of another certificate");
  assert.equal((await get(host)).name, "*.preview.localhost", "the old one stays");
  await rename(newer.cert, wild.cert);
  fixture.gateway.reload();
  assert.equal((await get(host)).name, "newer");
});

test("a gateway that ends lets a request over TLS finish, and drops handshakes that never come", async () => {
  await using folder = await temporaryDirectory();
  const authority = makeAuthority(folder.path);
  const certificate = { ...authority.issue("shop.example"), hosts: [] };
  await using fixture = await startFixture({ tls: { certificates: [certificate] } }, { fault: "hold" });
  await using silent = await rawClient(fixture.port);
  const running = secureAsk(fixture.port, ["Host: shop.example"], {
    ca: authority.ca,
    servername: "shop.example",
  });
  await until(() => fixture.ingress.requests.length === 1);
  const closed = fixture.gateway.close({ graceMs: 5_000 });
  await silent.closed;
  fixture.ingress.release();
  assert.match((await running).text, /^HTTP\/1\.1 200/);
  await closed;
});

test("a connection whose handshake is under way when the gateway ends gets its answer, where idle ones are given time", async () => {
  await using folder = await temporaryDirectory();
  const authority = makeAuthority(folder.path);
  const certificate = { ...authority.issue("shop.example"), hosts: [] };
  await using fixture = await startFixture({ tls: { certificates: [certificate] } });
  await using plain = await rawClient(fixture.port);
  const { server } = fixture.gateway;
  await until(
    () => new Promise<boolean>((resolve) => server.getConnections((_, count) => resolve(count === 1))),
  );
  plain.socket.removeAllListeners("data");
  const closed = fixture.gateway.close({ graceMs: 10_000, idleGraceMs: 10_000 });
  const secure = connect({ socket: plain.socket, ca: authority.ca, servername: "shop.example" });
  await once(secure, "secureConnect");
  secure.end("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  assert.match(await text(secure), /^HTTP\/1\.1 200 [\s\S]*connection: close/i);
  await closed;
});

test("a partner is believed in part: by its address, or by its certificate; nobody else is", async () => {
  await using folder = await temporaryDirectory();
  const authority = makeAuthority(folder.path);
  const certificate = { ...authority.issue("shop.example"), hosts: [] };
  const partners = [
    { name: "tests", accept: ["run_id"], addresses: ["127.0.0.0/8"], certificate: "tester" },
    { name: "acme", accept: ["tenant_id"], certificate: "acme" },
  ];
  await using fixture = await startFixture({
    tls: { certificates: [certificate], clientCa: authority.caFile },
    partners,
    accept: ["lang"],
  });
  const baggage = "baggage: tenant_id=acme,run_id=1,lang=de";
  const asked = async (client?: { cert: string; key: string }): Promise<string> => {
    const own = client && {
      cert: await readFile(client.cert, "utf8"),
      key: await readFile(client.key, "utf8"),
    };
    const { text } = await secureAsk(fixture.port, ["Host: shop.example", baggage], {
      ca: authority.ca,
      servername: "shop.example",
      ...own,
    });
    const { rawHeaders } = JSON.parse(text.slice(text.indexOf("{")));
    return rawHeaders[rawHeaders.indexOf("baggage") + 1];
  };
  assert.equal(await asked(), "lang=de");
  assert.equal(await asked(authority.issue("acme")), "lang=de,tenant_id=acme");
  assert.equal(await asked(authority.issue("tester")), "lang=de,run_id=1");
  await using other = await temporaryDirectory();
  assert.equal(
    await asked(makeAuthority(other.path).issue("acme")),
    "lang=de",
    "a certificate that somebody else signed",
  );
});

test("a partner that nothing tells from others, or with an address that is none, is refused at the start", async () => {
  for (const addresses of [
    undefined,
    [],
    ["300.1.1.1"],
    ["10.0.0.0/33"],
    ["10.0.0.0/8/8"],
    ["shop.example"],
    ["10.0.0.0/x"],
  ]) {
    const partners = [{ name: "acme", accept: ["tenant_id"], addresses }];
    await assert.rejects(
      startGateway({ ...refusable, partners }),
      { code: "E_GATEWAY_PARTNER" },
      String(addresses),
    );
  }
  const partners = [{ name: "acme", accept: ["clew-route"], addresses: ["::1"] }];
  await assert.rejects(startGateway({ ...refusable, partners }), { code: "E_GATEWAY_ACCEPT" });
});

test("a partner's address is that of its connection, not what a header says", async () => {
  const partners = [{ name: "acme", accept: ["tenant_id"], addresses: ["198.51.100.7"] }];
  await using fixture = await startFixture({ partners });
  const { seen } = await ask(fixture.port, {
    baggage: "tenant_id=acme",
    "x-forwarded-for": "198.51.100.7",
    forwarded: "for=198.51.100.7",
  });
  assert.equal(headerSeen(seen, "baggage"), undefined);
});

test("each request is a line of JSON, without queries and cookies; a moved file is opened anew", async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "access.log");
  await using fixture = await startFixture({ accessLog: file });
  await publish(fixture, [createPreview("demo")]);
  const lines = async (of: string): Promise<Array<Record<string, unknown>>> =>
    (await readFile(of, "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  await ask(
    fixture.port,
    { host: "shop.example", "user-agent": "Browser/1", cookie: "a=secret" },
    "GET",
    "/cart?token=secret",
  );
  await visitor(fixture.port, host).page("/");
  await visitor(fixture.port, "nobody.preview.localhost").page("/");
  const all = await until(async () => {
    const read = await lines(file);
    return read.length === 3 && read;
  });
  const [live, visited, unknown] = all;
  assert.deepEqual(
    [
      live?.["client"],
      live?.["method"],
      live?.["host"],
      live?.["path"],
      live?.["status"],
      live?.["userAgent"],
      live?.["preview"],
    ],
    ["127.0.0.1", "GET", "shop.example", "/cart", 200, "Browser/1", undefined],
  );
  assert.ok(Number(live?.["durationMs"]) > 0 && !Number.isNaN(Date.parse(String(live?.["time"]))));
  assert.deepEqual(
    [visited?.["preview"], typeof visited?.["visitor"], visited?.["status"]],
    ["demo", "string", 200],
  );
  assert.deepEqual([unknown?.["status"], unknown?.["error"]], [404, "E_PREVIEW_UNKNOWN"]);
  assert.doesNotMatch(await readFile(file, "utf8"), /secret/);
  await rename(file, `${file}.1`);
  fixture.gateway.reload();
  await ask(fixture.port, {}, "GET", "/after");
  const after = await until(async () => (await lines(file).catch(() => []))[0]);
  assert.equal(after["path"], "/after");
  assert.equal((await lines(`${file}.1`)).length, 3);
});

test("a preview leads to the ingress it asks for, with its host, over verified TLS; redirects and origins are mapped", async () => {
  await using folder = await temporaryDirectory();
  const authority = makeAuthority(folder.path);
  const { cert, key } = authority.issue("shop.example");
  const seen: string[][] = [];
  const server = createHttpsServer(
    { cert: await readFile(cert), key: await readFile(key) },
    (request, response) => {
      const { servername } = request.socket as TLSSocket & { servername?: string };
      seen.push([
        String(servername),
        String(request.headers.host),
        String(request.headers.origin),
        String(request.headers["x-forwarded-host"]),
      ]);
      response.setHeader("access-control-allow-origin", "https://shop.example");
      response.writeHead(302, { location: "https://shop.example/next?a#b" }).end();
    },
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  try {
    await using fixture = await startFixture({
      ingresses: {
        shop: { address, requestHost: "shop.example", tls: { ca: authority.ca } },
        strange: { address, requestHost: "other.example", tls: { ca: authority.ca } },
      },
    });
    await publish(fixture, [
      createPreview("demo", { ingress: "shop" }),
      createPreview("strange", { ingress: "strange" }),
    ]);
    const info = fixture.manager.gateways[0];
    assert.deepEqual(info?.ingresses, ["shop", "strange"]);
    const origin = `http://${host}:${fixture.port}`;
    const { status, headers } = await ask(fixture.port, { host: `${host}:${fixture.port}`, origin });
    assert.deepEqual(
      [status, headers.location, headers["access-control-allow-origin"]],
      [302, `${origin}/next?a#b`, origin],
    );
    assert.deepEqual(seen, [
      ["shop.example", "shop.example", "http://shop.example", `${host}:${fixture.port}`],
    ]);
    const wrong = await ask(fixture.port, { host: "strange.preview.localhost" });
    assert.equal(wrong.status, 502, "a certificate for another name is not believed");
    assert.equal(seen.length, 1);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("the address of previews may be told: of a gateway behind another, or of one without names for previews", async () => {
  await using wild = await startFixture({ previewUrl: "https://{slug}.preview.example/" });
  assert.equal(wild.gateway.previewUrl, "https://{slug}.preview.example/");
  assert.equal((await ask(wild.port, { host: "nobody.preview.example" })).status, 404);
  await using path = await startFixture({ previewUrl: "https://shop.example/_preview/{slug}" });
  assert.equal(path.gateway.previewUrl, "https://shop.example/_preview/{slug}");
  for (const previewUrl of [
    "https://shop.example/",
    "https://{slug}.example/sub/",
    "{slug}.example",
    "ftp://{slug}.example/",
    "https://x-{slug}.example/",
    "https://shop.example/previews/{slug}",
  ]) {
    await assert.rejects(
      startGateway({ ...refusable, previewUrl }),
      { code: "E_GATEWAY_PREVIEW_URL" },
      previewUrl,
    );
  }
});

test("certificates that cannot be read are refused at the start", async () => {
  const certificates = [{ cert: "/nowhere/cert.pem", key: "/nowhere/key.pem", hosts: [] }] as const;
  await assert.rejects(startGateway({ ...refusable, tls: { certificates } }), {
    code: "E_GATEWAY_TLS",
    message: /\/nowhere\/cert\.pem/,
  });
});
