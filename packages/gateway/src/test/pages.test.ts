import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@clew/testing";
import { ask, createPreview, headerSeen, publish, startFixture } from "./gateway-fixture.ts";
import { visitor } from "./visitor.ts";

const host = "demo.preview.localhost";
const away = [
  { service: "cart", owner: "ann", kind: "tunnel", reachable: false },
  { service: "pay", owner: "ben", kind: "tunnel", reachable: true },
] as const;

test("every way in which a preview can be closed has a page of its own, which needs nothing from elsewhere", async () => {
  await using fixture = await startFixture();
  const ended = [
    { slug: "late", owner: "ann", how: "expired", at: 1 },
    { slug: "shut", owner: "ann", how: "revoked", at: 1 },
  ] as const;
  const access = { kind: "link", tokenHash: "x" } as const;
  await publish(fixture, [createPreview("secret", { access })], { ended });
  const expected = {
    late: [410, "E_PREVIEW_EXPIRED", "This preview has expired"],
    shut: [410, "E_PREVIEW_REVOKED", "This preview is closed"],
    secret: [403, "E_PREVIEW_NOT_ALLOWED", "This preview opens by its whole link only"],
    nobody: [404, "E_PREVIEW_UNKNOWN", "There is no such preview"],
  } as const;
  for (const [slug, [status, code, title]] of Object.entries(expected)) {
    const page = await visitor(fixture.port, `${slug}.preview.localhost`).page("/any?thing");
    assert.deepEqual([page.status, page.headers["clew-error"]], [status, code]);
    assert.ok(page.body.includes(`<h1>${title}</h1>`), slug);
    assert.doesNotMatch(page.body, /<script|<img|src=|@import|url\(/, "nothing is loaded");
    assert.match(
      String(page.headers["content-security-policy"]),
      /^default-src 'none'; style-src 'sha256-[^;]*; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
    assert.equal(page.headers["cache-control"], "no-store");
    assert.doesNotMatch(page.body, /ann/, "an owner is nobody's business but the visitors'");
    const plain = await visitor(fixture.port, `${slug}.preview.localhost`).fetch("/");
    assert.deepEqual([plain.status, plain.headers["content-type"]], [status, "text/plain; charset=utf-8"]);
  }
});

test("who looks at a page while a machine is away is told so, may see the live version, and gets the preview when it is back", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [createPreview("demo", { replaces: away })]);
  const ann = visitor(fixture.port, host);
  const page = await ann.page("/shop?a=1&b=2");
  assert.deepEqual([page.status, page.headers["clew-error"]], [503, "E_PREVIEW_AWAY"]);
  assert.deepEqual([page.headers["refresh"], page.headers["retry-after"]], ["5", "5"]);
  assert.match(
    page.body,
    /In this preview, cart runs on ann&#8217;s machine, which cannot be reached right now\./,
  );
  const link = /href="(\/_preview\/-\/show-live[^"]*)"/.exec(page.body)?.[1]?.replaceAll("&amp;", "&") ?? "";
  for (const request of ["fetch", "frame", "post"] as const) {
    const send = {
      fetch: () => ann.fetch("/api"),
      frame: () => ann.page("/frame", { "sec-fetch-dest": "iframe" }),
      post: () => ann.post("/buy", {}),
    }[request];
    assert.equal((await send()).status, 200, `${request}: what is no page falls back by itself (I3)`);
  }
  const chosen = await ann.page(link);
  assert.deepEqual([chosen.status, chosen.headers.location], [303, "/shop?a=1&b=2"]);
  const live = await ann.page("/shop");
  assert.equal(live.status, 200);
  assert.equal(
    headerSeen(live.seen, "baggage"),
    "clew-route=mine",
    "agents take the live service by themselves",
  );
  await publish(fixture, [
    createPreview("demo", { replaces: away }),
    createPreview("other", { replaces: away }),
  ]);
  const other = visitor(fixture.port, "other.preview.localhost");
  assert.equal(
    (await other.page("/", { cookie: "clew-away=demo" })).status,
    503,
    "a choice is for one preview",
  );
  await publish(fixture, [createPreview("demo")]);
  assert.equal((await visitor(fixture.port, host).page("/")).status, 200, "it is back");
});

test("a preview whose system cannot be reached says so on a page, and in plain text to scripts", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [createPreview("demo"), createPreview("lost", { ingress: "nowhere" })]);
  fixture.ingress.refuse();
  fixture.ingress.closeIdle();
  const ann = visitor(fixture.port, host);
  const page = await ann.page("/");
  assert.deepEqual([page.status, page.headers["clew-error"]], [502, "E_UPSTREAM_UNREACHABLE"]);
  assert.match(page.body, /<h1>The system behind this preview cannot be reached<\/h1>/);
  assert.match((await ann.fetch("/")).body, /^E_UPSTREAM_UNREACHABLE: /);
  const lost = await visitor(fixture.port, "lost.preview.localhost").page("/");
  assert.deepEqual([lost.status, lost.headers["clew-error"]], [502, "E_PREVIEW_INGRESS"]);
});

test("a preview has a limit of requests, each its own; live has none of it", async () => {
  await using fixture = await startFixture({ limits: { previewRequests: { perSecond: 0.001, burst: 2 } } });
  await publish(fixture, [createPreview("demo"), createPreview("other")]);
  const statuses: number[] = [];
  for (let at = 0; at < 4; at++) statuses.push((await ask(fixture.port, { host })).status);
  assert.deepEqual(statuses, [200, 200, 429, 429]);
  const page = await visitor(fixture.port, host).page("/");
  assert.deepEqual([page.status, page.headers["clew-error"]], [429, "E_PREVIEW_RATE"]);
  assert.match(page.headers["retry-after"] ?? "", /^\d+$/);
  assert.equal((await ask(fixture.port, { host: "other.preview.localhost" })).status, 200);
  for (let at = 0; at < 4; at++) assert.equal((await ask(fixture.port)).status, 200);
});

test("a preview's own fields and headers go with its visitors' requests, in place of any from outside; reserved ones never do", async () => {
  await using fixture = await startFixture({ accept: ["tenant_id", "user_id"] });
  const fields = {
    tenant_id: "acme",
    flags: ["beta"],
    "clew-route": "other",
    "clew-explain": "n",
    caller: "admin",
  };
  const headers = [
    ["x-env", "demo"],
    ["host", "evil.example"],
    ["baggage", "a=1"],
    ["clew-edge", "0"],
    ["x-bad", "a\r\nb: c"],
    ["content-length", "0"],
  ] as const;
  await publish(fixture, [createPreview("demo", { fields, headers })]);
  const { seen } = await ask(fixture.port, { host, baggage: "tenant_id=evil,user_id=1", "x-env": "evil" });
  assert.deepEqual(headerSeen(seen, "baggage")?.split(",").sort(), [
    "clew-route=mine",
    "flags=json:[%22beta%22]",
    "tenant_id=acme",
    "user_id=1",
  ]);
  assert.match(headerSeen(seen, "baggage") ?? "", /^clew-route=mine,/);
  assert.deepEqual(
    ["x-env", "host", "clew-edge", "x-bad", "content-length"].map((name) => headerSeen(seen, name)),
    ["demo", host, "1", undefined, undefined],
  );
  await until(() => fixture.ingress.requests.length > 0);
});
