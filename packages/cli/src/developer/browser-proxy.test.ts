import assert from "node:assert/strict";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { test } from "node:test";
import { type Echo, startUpstream } from "@clew/testing";
import { type BrowserProxy, startBrowserProxy } from "./browser-proxy.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** As a browser asks, which finds names below `localhost` by itself. */
function ask(
  url: string,
  { host, headers }: { readonly host?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const { port, pathname, search, host: own } = new URL(url);
  const options = {
    port,
    host: "127.0.0.1",
    path: pathname + search,
    headers: { host: host ?? own, ...headers },
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...options, agent: false }, (answer) => {
      answer.toArray().then((chunks: Buffer[]) => {
        resolve({
          status: answer.statusCode,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString(),
        });
      }, reject);
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}

function seenBy({ body }: Answer): Record<string, string> {
  const { rawHeaders } = JSON.parse(body) as Echo;
  return Object.fromEntries(
    rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? ""]] : [])),
  );
}

async function start(
  target: string,
  key: () => string = () => "demo",
): Promise<BrowserProxy & AsyncDisposable> {
  const proxy = await startBrowserProxy({ target: new URL(target), route: "demo", port: 0, key });
  return { ...proxy, [Symbol.asyncDispose]: () => proxy.close() };
}

test("each request carries the key of the moment, and looks to the service as if it had come by its own address", async () => {
  await using upstream = await startUpstream();
  let key = "first";
  await using proxy = await start(`${upstream.url}/start?a=1`, () => key);
  assert.match(proxy.url, /^http:\/\/demo\.localhost:\d+\/start\?a=1$/);
  const { origin } = new URL(proxy.url);
  const headers = {
    origin,
    referer: `${origin}/start?next=${origin}/`,
    baggage: "tenant_id=acme,clew-route=own",
    cookie: "a=1",
  };
  const seen = seenBy(await ask(proxy.url, { headers }));
  assert.equal(seen["host"], new URL(upstream.url).host);
  assert.equal(seen["origin"], upstream.url);
  assert.equal(seen["referer"], `${upstream.url}/start?next=${origin}/`);
  assert.equal(seen["baggage"], "clew-route=first,tenant_id=acme");
  assert.equal(seen["cookie"], "a=1");
  assert.deepEqual(upstream.requests, ["GET /start?a=1"]);
  key = "second";
  assert.equal(seenBy(await ask(proxy.url))["baggage"], "clew-route=second");
  assert.equal(
    seenBy(await ask(proxy.url, { headers: { origin: "http://other.example" } }))["origin"],
    "http://other.example",
  );
});

test("redirects and cookies of the service stay at the local address, others are as they were", async () => {
  const handle = ({ url, headers }: IncomingMessage, response: ServerResponse): void => {
    const location = url === "/away" ? "https://other.example/x" : `http://${headers.host}/next?to=1`;
    const cookies = ["sid=1; Domain=shop.example; Path=/; HttpOnly", "theme=dark; domain=.shop.example"];
    response.writeHead(302, {
      location,
      "set-cookie": cookies,
      "strict-transport-security": "max-age=1",
      "access-control-allow-origin": `http://${headers.host}`,
    });
    response.end();
  };
  await using upstream = await startUpstream({ handle });
  await using proxy = await start(upstream.url);
  const { origin } = new URL(proxy.url);
  const { status, headers } = await ask(proxy.url);
  assert.equal(status, 302);
  assert.equal(headers.location, `${origin}/next?to=1`);
  assert.equal(headers["access-control-allow-origin"], origin);
  assert.deepEqual(headers["set-cookie"], ["sid=1; Path=/; HttpOnly", "theme=dark"]);
  assert.equal(headers["strict-transport-security"], undefined);
  assert.equal((await ask(`${origin}/away`)).headers.location, "https://other.example/x");
});

test("a page of somebody else whose name leads to this machine gets nothing", async () => {
  await using upstream = await startUpstream();
  await using proxy = await start(upstream.url);
  for (const host of [
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
  ]) {
    const { status, headers } = await ask(proxy.url, { host });
    assert.deepEqual([status, headers["clew-error"]], [421, "E_HOST_REFUSED"], host);
  }
  assert.deepEqual(upstream.requests, []);
});

test("a target that cannot be reached by TLS is said", async () => {
  await using upstream = await startUpstream({ fault: "reset-on-accept" });
  await using proxy = await start(upstream.url.replace("http:", "https:"));
  const { status, headers } = await ask(proxy.url);
  assert.equal(status, 502);
  assert.ok(headers["clew-error"]);
});
