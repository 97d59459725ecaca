import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from "node:zlib";
import { rawClient, until } from "@clew/testing";
import { barStyleHash } from "../bar/bar.ts";
import { createPreview, type Fixture, publish, startFixture } from "./gateway-fixture.ts";
import { type Visitor, visitor } from "./visitor.ts";

const host = "demo.preview.localhost";
const html =
  "<!doctype html><html><head><title>Shop</title></head><body class=x><h1>Shop ä</h1></body></html>";

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

async function preview(
  handle: Handle,
  more: Parameters<typeof createPreview>[1] = {},
): Promise<Fixture & { ann: Visitor }> {
  const fixture = await startFixture({}, { handle });
  const replaces = [{ service: "cart", owner: "ann", kind: "tunnel", reachable: true }] as const;
  await publish(fixture, [createPreview("demo", { replaces, expiresAt: Date.now() + 7_230_000, ...more })]);
  return Object.assign(fixture, { ann: visitor(fixture.port, host) });
}

const answer =
  (
    headers: Readonly<Record<string, string | readonly string[]>>,
    body: string | Buffer,
    status = 200,
  ): Handle =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers } as Record<
      string,
      string
    >);
    response.end(body);
  };

/** Splits a page at its bar. */
function bar(body: string): string {
  return /<clew-preview-bar.*<\/clew-preview-bar>/s.exec(body)?.[0] ?? "";
}

test("a page gets a bar that says whose preview it is, until when, and what is changed; its bytes stay as they are", async () => {
  await using fixture = await preview(
    answer({ etag: '"1"', "last-modified": "x", "content-length": String(Buffer.byteLength(html)) }, html),
  );
  const { body, headers } = await fixture.ann.page("/");
  assert.equal(body.replace(bar(body), ""), html);
  assert.ok(body.includes(`<body class=x>${bar(body)}<h1>`));
  for (const part of [
    "<b>demo</b>",
    "<dd>ann</dd>",
    "in 2 hours",
    "cart from ann&#8217;s machine",
    "<details open>",
  ]) {
    assert.ok(bar(body).includes(part), part);
  }
  assert.doesNotMatch(bar(body), /<script|on\w+=|[^\x20-\x7e\n]/);
  assert.deepEqual(
    [headers.etag, headers["last-modified"], headers["content-length"]],
    [undefined, undefined, undefined],
  );
});

test("what the owner or a service is called cannot become markup", async () => {
  const replaces = [{ service: "<i>", owner: `"><script>`, kind: "address", reachable: true }] as const;
  await using fixture = await preview(answer({}, html), { owner: "<script>alert(1)</script>", replaces });
  const { body } = await fixture.ann.page("/");
  assert.ok(bar(body).includes("&lt;script&gt;alert(1)"));
  assert.doesNotMatch(body, /<script|<i>/);
});

test("within the preview the bar is closed, and it may be left out altogether", async () => {
  await using fixture = await preview(answer({}, html));
  assert.ok(
    bar((await fixture.ann.page("/", { "sec-fetch-site": "same-origin" })).body).includes("<details>"),
  );
  await publish(fixture, [createPreview("demo", { banner: false })]);
  assert.equal((await fixture.ann.page("/")).body, html);
});

test("nothing else gets a bar: scripts' requests, frames, parts, downloads, other types and encodings, nor HEAD", async () => {
  const types: Readonly<Record<string, Handle>> = {
    "/json": answer({ "content-type": "application/json" }, '{"a":"<body>"}'),
    "/xhtml": answer({ "content-type": "application/xhtml+xml" }, html),
    "/utf16": answer({ "content-type": "text/html; charset=UTF-16LE" }, Buffer.from(html, "utf16le")),
    "/download": answer({ "content-disposition": "attachment; filename=a.html" }, html),
    "/part": answer({ "content-range": "bytes 0-3/9" }, html.slice(0, 4), 206),
    "/packed": answer({ "content-encoding": "zstd" }, "<body>not really packed"),
    "/moved": answer({ location: "/" }, html, 302),
  };
  const handle: Handle = (request, response) =>
    (types[request.url ?? ""] ?? answer({ etag: '"1"' }, html))(request, response);
  await using fixture = await preview(handle);
  for (const path of Object.keys(types)) {
    assert.doesNotMatch((await fixture.ann.page(path)).body, /clew-preview-bar/, path);
  }
  const others = [
    await fixture.ann.fetch("/"),
    await fixture.ann.fetch("/", { accept: "text/html" }),
    await fixture.ann.page("/", { "sec-fetch-dest": "iframe" }),
    await fixture.ann.page("/", { range: "bytes=0-" }),
  ];
  for (const { body, headers } of others) assert.deepEqual([body, headers.etag], [html, '"1"']);
  assert.match((await fixture.ann.page("/missing")).body, /clew-preview-bar/);
});

test("a page that the application's service worker asks for has the bar as well; what its scripts ask for does not", async () => {
  await using fixture = await preview(answer({}, html));
  const worker = {
    "sec-fetch-mode": "same-origin",
    "sec-fetch-dest": "empty",
    "sec-fetch-site": "same-origin",
  };
  const passedOn = { ...worker, "upgrade-insecure-requests": "1" };
  assert.match((await fixture.ann.page("/", passedOn)).body, /clew-preview-bar/);
  assert.equal((await fixture.ann.page("/", worker)).body, html);
  assert.equal((await fixture.ann.fetch("/", passedOn)).body, html);
});

test("a page that says it is missing, or failed, has the bar as well", async () => {
  await using fixture = await preview(answer({}, html, 404));
  const { status, body } = await fixture.ann.page("/");
  assert.equal(status, 404);
  assert.match(body, /clew-preview-bar/);
});

test("pages are asked for uncompressed and whole; all else as the browser asked", async () => {
  const seen: Array<IncomingMessage["headers"]> = [];
  await using fixture = await preview((request, response) => {
    seen.push(request.headers);
    answer({}, html)(request, response);
  });
  const asked = { "accept-encoding": "gzip, br", "if-none-match": '"1"', "if-modified-since": "x" };
  await fixture.ann.page("/", asked);
  await fixture.ann.fetch("/", asked);
  const names = Object.keys(asked);
  assert.deepEqual(
    names.map((name) => seen[0]?.[name]),
    ["identity", undefined, undefined],
  );
  assert.deepEqual(
    names.map((name) => seen[1]?.[name]),
    Object.values(asked),
  );
});

const codings = {
  gzip: [gzipSync, gunzipSync],
  deflate: [deflateSync, inflateSync],
  br: [brotliCompressSync, brotliDecompressSync],
} as const;

for (const [coding, [pack, unpack]] of Object.entries(codings)) {
  test(`a page that comes compressed all the same (${coding}) gets its bar, compressed`, async () => {
    const packed = pack(Buffer.from(html));
    await using fixture = await preview(
      answer({ "content-encoding": coding, "content-length": String(packed.length) }, packed),
    );
    await using client = await rawClient(fixture.port);
    client.write(`GET / HTTP/1.0\r\nHost: ${host}\r\nAccept: text/html\r\n\r\n`);
    await client.closed;
    const head = client.received.indexOf("\r\n\r\n");
    const body = unpack(client.received.subarray(head + 4)).toString();
    assert.equal(body.replace(bar(body), ""), html);
    assert.notEqual(bar(body), "");
    assert.match(client.received.toString("latin1", 0, head), new RegExp(`content-encoding: ${coding}`, "i"));
  });
}

test("a compressed page that is broken is broken off, and the gateway serves on", async () => {
  await using fixture = await preview((request, response) =>
    answer(
      request.url === "/broken" ? { "content-encoding": "gzip" } : {},
      request.url === "/broken" ? "no gzip" : html,
    )(request, response),
  );
  await assert.rejects(fixture.ann.page("/broken"));
  assert.equal((await fixture.ann.page("/")).status, 200);
});

test("a page that comes bit by bit goes on bit by bit", async () => {
  let response: ServerResponse | undefined;
  await using fixture = await preview((_request, answerTo) => {
    response = answerTo;
    answerTo.writeHead(200, { "content-type": "text/html" });
    answerTo.write("<html><head></head><body>first");
  });
  await using client = await rawClient(fixture.port);
  client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n\r\n`);
  await client.waitFor("</clew-preview-bar>first");
  response?.end("last");
  await client.waitFor("last\r\n0\r\n\r\n");
});

test("a page's Content-Security-Policy lets the bar's style and frame in, and nothing else; one in the document decides", async () => {
  const policy = { current: "default-src 'none'; script-src 'self'", meta: "" };
  await using fixture = await preview((request, response) => {
    const meta =
      policy.meta === "" ? "" : `<meta http-equiv="content-security-policy" content="${policy.meta}">`;
    answer(
      policy.current === "" ? {} : { "content-security-policy": policy.current },
      html.replace("<title>", `${meta}<title>`),
    )(request, response);
  });
  const strict = await fixture.ann.page("/");
  assert.equal(
    strict.headers["content-security-policy"],
    `default-src 'none'; script-src 'self'; style-src ${barStyleHash}; frame-src 'self'`,
  );
  assert.match(bar(strict.body), /<iframe src="\/_preview\/-\/status"/);
  policy.current = "default-src 'self' 'unsafe-inline'";
  assert.equal((await fixture.ann.page("/")).headers["content-security-policy"], policy.current);
  policy.current = "sandbox allow-scripts";
  assert.doesNotMatch(bar((await fixture.ann.page("/")).body), /<iframe/);
  policy.current = "";
  policy.meta = "style-src 'self'";
  assert.equal(bar((await fixture.ann.page("/")).body), "", "no bar is better than one without its style");
  policy.meta = "style-src 'unsafe-inline'; frame-src 'none'";
  assert.match(bar((await fixture.ann.page("/")).body), /<span class="state">machine connected<\/span>/);
});

test("the bar's frame says how things stand, as JSON too, and only to a visitor", async () => {
  await using fixture = await preview(answer({}, html));
  const frame = await fixture.ann.fetch("/_preview/-/status");
  assert.match(frame.body, /class="connected"><i><\/i>machine connected/);
  assert.equal(frame.headers["refresh"], "10");
  assert.match(
    String(frame.headers["content-security-policy"]),
    /^default-src 'none'; .*frame-ancestors 'self'$/,
  );
  const told = JSON.parse(
    (await fixture.ann.fetch("/_preview/-/status", { accept: "application/json" })).body,
  );
  assert.deepEqual([told.slug, told.owner, told.state], ["demo", "ann", "connected"]);
  assert.ok(told.remainingMs > 7_000_000 && told.remainingMs <= 7_230_000);
  const away = [{ service: "cart", owner: "ann", kind: "tunnel", reachable: false }] as const;
  await publish(fixture, [createPreview("demo", { replaces: away })]);
  await until(async () => (await fixture.ann.fetch("/_preview/-/status")).body.includes("machine away"));
  await publish(fixture, [createPreview("demo", { access: { kind: "link", tokenHash: "x" } })]);
  const refused = await fixture.ann.fetch("/_preview/-/status");
  assert.deepEqual([refused.status, refused.headers["refresh"]], [403, undefined]);
});

test("an empty page stays empty, and a client that leaves in the middle costs nothing", async () => {
  let closed: Promise<unknown> | undefined;
  await using fixture = await preview((request, response) => {
    if (request.url !== "/endless") return answer({}, "")(request, response);
    closed = once(response, "close");
    response.writeHead(200, { "content-type": "text/html" });
    response.write("<body>");
  });
  assert.equal((await fixture.ann.page("/")).body, "");
  await using client = await rawClient(fixture.port);
  client.write(`GET /endless HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\n\r\n`);
  await client.waitFor("</clew-preview-bar>");
  client.reset();
  await closed;
});
