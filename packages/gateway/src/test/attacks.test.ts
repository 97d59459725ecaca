import assert from "node:assert/strict";
import { test } from "node:test";
import { hashLinkToken } from "@clew/control";
import { rawExchange } from "@clew/testing";
import { ask, createPreview, type Fixture, headerSeen, publish, startFixture } from "./gateway-fixture.ts";
import { visitor } from "./visitor.ts";

// What outsiders try. Routing keys that are forged, expired or from another environment: signed-keys.test.ts; guessed
// passwords: access.test.ts.

const hostOf = (slug: string): string => `${slug}.preview.localhost`;

async function twoSecrets(): Promise<Fixture> {
  const fixture = await startFixture();
  const secret = (slug: string) =>
    createPreview(slug, { key: `key-of-${slug}`, access: { kind: "link", tokenHash: hashLinkToken(slug) } });
  await publish(fixture, [secret("one"), secret("two"), createPreview("open")]);
  return fixture;
}

test("a cookie of one preview is worth nothing on another, whichever way it is presented", async () => {
  await using fixture = await twoSecrets();
  const ann = visitor(fixture.port, hostOf("one"));
  await ann.page("/?clew-visit=one");
  const pass = ann.cookies.get("clew-visit") ?? "";
  const eve = visitor(fixture.port, hostOf("two"));
  const renamed = pass.replace(/^one\./, "two.");
  for (const cookie of [
    `clew-visit=${pass}`,
    `clew-visit=${renamed}`,
    `clew-visit=${pass}; clew-visit=${renamed}`,
    `__Host-clew-visit=${pass}`,
  ]) {
    assert.equal((await eve.page("/", { cookie })).status, 403, cookie);
  }
  const { headers } = await visitor(fixture.port, hostOf("open")).page("/");
  const open = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  assert.equal((await eve.page("/", { cookie: open })).status, 403, "nor that of a public one");
  const shop = await visitor(fixture.port, "shop.example").page("/", { cookie: `clew-visit=${renamed}` });
  assert.equal(
    shop.headers.location,
    "/_preview/two?return=%2F",
    "on the shop's own host it leads to the door, and no further",
  );
  const both = await eve.page("/", {
    cookie: `clew-visit=${pass}; clew-visit=${eve.cookies.get("clew-visit") ?? ""}`,
  });
  assert.equal(both.status, 403);
  assert.deepEqual(fixture.ingress.requests, ["GET /"], "only the public one's page went on");
});

test("a preview's key, fields and the gateway's own marks cannot be brought from outside", async () => {
  await using fixture = await twoSecrets();
  const lies = {
    baggage: `clew-route=No route,clew-sig=x,clew-explain=${"n".repeat(200)}`,
    "clew-route": "mine",
    "x-clew-route": "mine",
    "clew-ticket": "x",
    "clew-edge": "0",
    "x-forrst-caller": "admin",
  };
  const live = await ask(fixture.port, lies);
  assert.equal(headerSeen(live.seen, "baggage"), undefined);
  assert.deepEqual(
    [
      headerSeen(live.seen, "clew-edge"),
      headerSeen(live.seen, "clew-ticket"),
      headerSeen(live.seen, "x-forrst-caller"),
    ],
    ["1", undefined, undefined],
  );
  const open = await ask(fixture.port, { ...lies, host: hostOf("open"), baggage: "clew-route=key-of-one" });
  assert.equal(headerSeen(open.seen, "baggage"), "clew-route=mine");
});

test("no address of the gateway's leads to another site", async () => {
  await using fixture = await twoSecrets();
  const targets = [
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "/%09/evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "\t//evil.example",
  ];
  const ann = visitor(fixture.port, hostOf("one"));
  const stays = (location: string | undefined): void => {
    assert.match(location ?? "", /^\/(?![/\\])/);
    assert.equal(new URL(location ?? "", "http://one.preview.localhost/x").hostname, "one.preview.localhost");
  };
  for (const target of ["//evil.example/", "///evil.example", "/%5cevil.example"]) {
    stays((await ann.page(`${target}?clew-visit=one`)).headers.location);
  }
  const absolute =
    "GET http://one.preview.localhost//evil.example/?clew-visit=one HTTP/1.1\r\nHost: one.preview.localhost\r\nConnection: close\r\n\r\n";
  stays(/^location: (.*)$/im.exec((await rawExchange(fixture.port, absolute)).toString())?.[1]);
  for (const target of targets) {
    const back = encodeURIComponent(target);
    stays((await ann.page(`/_preview/-/show-live?return=${back}`)).headers.location);
    stays(
      (await visitor(fixture.port, "shop.example").page(`/_preview/open?return=${back}`)).headers.location,
    );
  }
});

test("below /_preview/ no way leads to a file, a service or anything but a preview", async () => {
  await using fixture = await twoSecrets();
  const eve = visitor(fixture.port, "shop.example");
  const paths = [
    "/_preview/../admin",
    "/_preview/..%2fadmin",
    "/_preview/%2e%2e/admin",
    "/_preview/open/../../admin",
    "/_preview/open/x",
    "/_preview//open",
    "/_preview/./open",
    "/_preview/open%00",
    "/_preview/OPEN",
    "/_preview/open.",
    "/_preview/xn--open-",
    "/_preview/-open",
    "/_preview/open;x",
    `/_preview/${"a".repeat(64)}`,
    "/_preview/\\open",
  ];
  for (const path of paths) {
    const { status, headers } = await eve.page(path);
    assert.deepEqual([status, headers["set-cookie"]], [404, undefined], path);
  }
  for (const path of ["/_preview/-/", "/_preview/-/open", "/_preview/-/status/x", "/_preview/-/../x"]) {
    assert.equal((await eve.page(path)).status, 400, path);
  }
  assert.deepEqual(fixture.ingress.requests, []);
});

test("a picture or script of another site's page leads nobody into a preview", async () => {
  await using fixture = await twoSecrets();
  const eve = visitor(fixture.port, "shop.example");
  for (const headers of [
    { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    { "sec-fetch-dest": "iframe" },
  ]) {
    const { status, headers: got } = await eve.page("/_preview/open", headers);
    assert.deepEqual([status, got["set-cookie"]], [400, undefined]);
  }
});

test("a host says which preview it is, however it is written, and two hosts are refused", async () => {
  await using fixture = await twoSecrets();
  const send = async (...lines: string[]): Promise<string> =>
    (await rawExchange(fixture.port, `${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`)).toString();
  const statusOf = (answer: string): number => Number(answer.slice(9, 12));
  const get = "GET / HTTP/1.1";
  for (const host of [
    "ONE.Preview.Localhost",
    "one.preview.localhost.",
    "one.preview.localhost:1",
    "one.preview.localhost.:99",
  ]) {
    assert.equal(statusOf(await send(get, `Host: ${host}`)), 403, host);
  }
  const refused = [
    [get, "Host: shop.example", "Host: one.preview.localhost"],
    [get, "Host: one.preview.localhost", "Host: one.preview.localhost"],
    ["GET http://one.preview.localhost/ HTTP/1.1", "Host: shop.example"],
    ["GET http://shop.example/ HTTP/1.1", "Host: one.preview.localhost"],
    [get],
  ];
  for (const lines of refused) assert.equal(statusOf(await send(...lines)), 400, lines.join(" "));
  assert.deepEqual(fixture.ingress.requests, [], "none of them went on");
  const others = [
    "xn--one-.preview.localhost",
    "\u043ene.preview.localhost",
    "one%2epreview.localhost",
    "x.one.preview.localhost",
    "preview.localhost",
    "-.preview.localhost",
  ];
  for (const host of others) {
    const answer = await send(get, `Host: ${host}`);
    assert.ok(!answer.includes("key-of-one"), host);
  }
  const forwarded = await send(
    get,
    "Host: shop.example",
    "X-Forwarded-Host: one.preview.localhost",
    "X-Original-Host: one.preview.localhost",
  );
  assert.ok(!forwarded.includes("key-of-one"), "only Host counts");
});

test("two requests cannot be made of one at the edge: what two servers might read differently is refused", async () => {
  await using fixture = await twoSecrets();
  const smuggled = "GET /admin HTTP/1.1\r\nHost: one.preview.localhost\r\n\r\n";
  const bodies = {
    "length and chunks": `Content-Length: ${smuggled.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    "two lengths": `Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    "chunks in disguise": `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    "chunks twice": `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
    "a length with a sign": `Content-Length: +0\r\n\r\n${smuggled}`,
    "a name with a space": `Content-Length : 0\r\n\r\n${smuggled}`,
    "a line that goes on": `X: a\r\n Transfer-Encoding: chunked\r\n\r\n${smuggled}`,
    "a bare line feed": `X: a\nContent-Length: 0\r\n\r\n${smuggled}`,
  };
  for (const [name, body] of Object.entries(bodies)) {
    const answer = (
      await rawExchange(fixture.port, `POST / HTTP/1.1\r\nHost: ${hostOf("open")}\r\n${body}`)
    ).toString();
    assert.match(answer, /^HTTP\/1\.1 400 /, name);
    assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, name);
  }
  assert.deepEqual(fixture.ingress.requests, []);
});

test("no shared cache can be made to keep a preview's answer, nor live's be changed by a preview's", async () => {
  await using fixture = await startFixture(
    {},
    {
      handle: (request, response) => {
        response.setHeader("cache-control", "public, s-maxage=600, max-age=60");
        response.end(request.headers.host);
      },
    },
  );
  await publish(fixture, [createPreview("demo")]);
  const poisoned = await visitor(fixture.port, hostOf("demo")).page("/");
  assert.deepEqual(
    [poisoned.headers["cache-control"], poisoned.headers.vary],
    ["private, max-age=60", "Cookie"],
  );
  const live = await ask(fixture.port, { host: "shop.example", "x-forwarded-host": "evil.example" });
  assert.deepEqual(
    [live.headers["cache-control"], live.headers.vary, live.body],
    ["public, s-maxage=600, max-age=60", undefined, "shop.example"],
  );
  for (const slug of ["nobody", "demo"]) {
    const own = await visitor(fixture.port, hostOf(slug)).page("/_preview/-/status");
    assert.equal(own.headers["cache-control"], "no-store");
  }
});

test("a service of one preview can neither set the gateway's cookie nor one for all previews", async () => {
  await using fixture = await startFixture(
    {},
    {
      handle: (_request, response) => {
        response.setHeader("set-cookie", [
          "clew-visit=tossed; Path=/",
          "a=1; Domain=preview.localhost",
          "__Host-clew-visit=x; Secure; Path=/",
        ]);
        response.end();
      },
    },
  );
  await publish(fixture, [createPreview("demo")]);
  const { headers } = await visitor(fixture.port, hostOf("demo")).fetch("/");
  assert.deepEqual(headers["set-cookie"], ["a=1"]);
});
