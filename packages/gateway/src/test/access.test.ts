import assert from "node:assert/strict";
import { test } from "node:test";
import { hashLinkToken, hashPassword, type Preview } from "@clew/control";
import { rawClient, until } from "@clew/testing";
import { createPreview, headerSeen, publish, startFixture } from "./gateway-fixture.ts";
import { visitor } from "./visitor.ts";

const hostOf = (slug: string): string => `${slug}.preview.localhost`;
const linked = (slug: string): Preview =>
  createPreview(slug, { access: { kind: "link", tokenHash: hashLinkToken(`secret-of-${slug}`) } });

async function locked(slug: string, password: string): Promise<Preview> {
  const salt = Buffer.from("0123456789abcdef").toString("base64url");
  return createPreview(slug, {
    access: { kind: "password", salt, hash: await hashPassword(password, salt) },
  });
}

test("a secret link opens its preview once for all: the token becomes a cookie and leaves the address", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [linked("demo")]);
  const ann = visitor(fixture.port, hostOf("demo"));
  const before = await ann.page("/shop");
  assert.deepEqual([before.status, before.headers["clew-error"]], [403, "E_PREVIEW_NOT_ALLOWED"]);
  const first = await ann.page("/shop?a=%20b&clew-visit=secret-of-demo&c");
  assert.deepEqual([first.status, first.headers.location], [303, "/shop?a=%20b&c"]);
  assert.equal(first.headers["referrer-policy"], "no-referrer");
  assert.equal(first.headers["cache-control"], "no-store");
  const [cookie = ""] = first.headers["set-cookie"] ?? [];
  assert.match(cookie, /^clew-visit=demo\.[^;]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
  assert.equal((await ann.page("/shop")).status, 200);
  assert.equal((await ann.fetch("/api")).status, 200);
  assert.deepEqual(fixture.ingress.requests, ["GET /shop", "GET /api"], "the token reached nobody");
  const again = await ann.page("/?clew-visit=secret-of-demo");
  assert.deepEqual([again.status, again.headers["set-cookie"]], [303, undefined], "she stays who she is");
});

test("a wrong token, one of another preview, and none, let nobody in; scripts are told in plain text", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [linked("demo"), linked("other")]);
  const eve = visitor(fixture.port, hostOf("demo"));
  for (const query of ["", "?clew-visit=", "?clew-visit=secret-of-other", "?clew-visit[]=secret-of-demo"]) {
    const { status, headers } = await eve.page(`/${query}`);
    assert.deepEqual([status, headers["set-cookie"]], [403, undefined], query);
  }
  const plain = await eve.fetch("/");
  assert.deepEqual([plain.status, plain.headers["content-type"]], [403, "text/plain; charset=utf-8"]);
  assert.deepEqual(fixture.ingress.requests, []);
});

test("a WebSocket needs a pass as well, and none of another site's page has it", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [linked("demo")]);
  const ann = visitor(fixture.port, hostOf("demo"));
  await ann.page("/?clew-visit=secret-of-demo");
  const open = async (...lines: string[]): Promise<string> => {
    await using client = await rawClient(fixture.port);
    const head = [
      `GET /socket HTTP/1.1`,
      `Host: ${hostOf("demo")}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
    ];
    const key = ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"];
    client.write([...head, ...key, ...lines, "", ""].join("\r\n"));
    return (await client.waitFor("\r\n\r\n")).toString();
  };
  assert.match(await open(), /^HTTP\/1\.1 403 /);
  assert.match(await open(`Cookie: clew-visit=${ann.cookies.get("clew-visit")}`), /^HTTP\/1\.1 101 /);
  const [cookie = ""] =
    (await visitor(fixture.port, hostOf("demo")).page("/?clew-visit=secret-of-demo")).headers["set-cookie"] ??
    [];
  assert.match(cookie, /SameSite=Lax/, "browsers send it with no request that another site's page makes");
});

test("a password opens a preview: the page asks for it, leads on to where its visitor wanted to go, and remembers", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [await locked("demo", "open sesame")]);
  const ann = visitor(fixture.port, hostOf("demo"));
  const page = await ann.page("/cart?item=1&b=<");
  assert.deepEqual([page.status, page.headers["clew-error"]], [403, "E_PREVIEW_PASSWORD"]);
  assert.match(page.body, /<form method="post" action="\/_preview\/-\/enter">/);
  assert.match(page.body, /name="return" value="\/cart\?item=1&amp;b=&lt;"/);
  const wrong = await ann.post("/_preview/-/enter", { password: "open", return: "/cart" });
  assert.equal(wrong.status, 403);
  assert.match(wrong.body, /role="alert">That is not the password\./);
  const right = await ann.post("/_preview/-/enter", { password: "open sesame", return: "/cart?item=1" });
  assert.deepEqual([right.status, right.headers.location], [303, "/cart?item=1"]);
  assert.equal((await ann.page("/cart?item=1")).status, 200);
  assert.deepEqual(fixture.ingress.requests, ["GET /cart?item=1"], "no password reached a service");
});

test("a gateway's cookie never reaches a service, and all others do", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [linked("demo")]);
  const ann = visitor(fixture.port, hostOf("demo"));
  await ann.page("/?clew-visit=secret-of-demo");
  const pass = `clew-visit=${ann.cookies.get("clew-visit")}`;
  const some = await ann.fetch("/", { cookie: `a=1; ${pass}; clew-away=x;b=2` });
  assert.equal(headerSeen(some.seen, "cookie"), "a=1;b=2");
  assert.equal(headerSeen((await ann.fetch("/", { cookie: pass })).seen, "cookie"), undefined);
});

test("a visitor whose access was withdrawn is told so, others go on", async () => {
  await using fixture = await startFixture();
  const previews = [linked("demo")];
  await publish(fixture, previews);
  const [ann, ben] = [visitor(fixture.port, hostOf("demo")), visitor(fixture.port, hostOf("demo"))];
  for (const each of [ann, ben]) await each.page("/?clew-visit=secret-of-demo");
  const id = ann.cookies.get("clew-visit")?.split(".")[1] ?? "";
  await publish(fixture, previews, { revokedVisitors: { demo: [id] } });
  const refused = await ann.page("/");
  assert.deepEqual([refused.status, refused.headers["clew-error"]], [403, "E_PREVIEW_VISITOR_REVOKED"]);
  assert.equal((await ann.page("/?clew-visit=secret-of-demo")).status, 403, "the link does not help");
  assert.equal((await ben.page("/")).status, 200);
});

test("gateways that were told one key know each other's visitors; another key, password or link forgets them", async () => {
  await using one = await startFixture();
  await using two = await startFixture();
  const visitorKey = Buffer.alloc(32, 7).toString("base64url");
  await publish(one, [linked("demo")], { visitorKey });
  await publish(two, [linked("demo")], { visitorKey });
  const ann = visitor(one.port, hostOf("demo"));
  await ann.page("/?clew-visit=secret-of-demo");
  const cookie = `clew-visit=${ann.cookies.get("clew-visit")}`;
  const there = visitor(two.port, hostOf("demo"));
  assert.equal((await there.page("/", { cookie })).status, 200);
  const changed = { ...linked("demo"), access: { kind: "link", tokenHash: hashLinkToken("new") } } as const;
  await publish(two, [changed], { visitorKey });
  assert.equal((await there.page("/", { cookie })).status, 403);
  await publish(two, [linked("demo")], { visitorKey: Buffer.alloc(32, 8).toString("base64url") });
  assert.equal((await there.page("/", { cookie })).status, 403);
});

test("the manager is told of pages that were visited, by whom, and not of each request; a public preview knows its visitors by a cookie", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [createPreview("demo")]);
  const ann = visitor(fixture.port, hostOf("demo"));
  const startedAt = Date.now();
  await ann.fetch("/script.js");
  assert.equal(ann.cookies.size, 0);
  await ann.page("/shop?secret=1", { "user-agent": "Browser/1" });
  await ann.page("/cart");
  const visits = await until(() => fixture.manager.visits.length === 2 && fixture.manager.visits);
  const id = ann.cookies.get("clew-visit")?.split(".")[1];
  assert.deepEqual(
    visits.map(({ slug, visitor, path, userAgent }) => [slug, visitor, path, userAgent]),
    [
      ["demo", id, "/shop", "Browser/1"],
      ["demo", id, "/cart", undefined],
    ],
  );
  assert.ok(visits.every(({ at }) => at >= startedAt && at <= Date.now()));
});

test("passwords cannot be guessed: neither by one client, nor by many, nor at once; a good one still opens", async () => {
  const limits = {
    passwordTriesPerClient: { perSecond: 0.001, burst: 3 },
    passwordTriesPerPreview: { perSecond: 0.001, burst: 5 },
  };
  await using fixture = await startFixture({ limits });
  await publish(fixture, [await locked("demo", "open sesame"), await locked("other", "open sesame")]);
  const guess = async (password: string, from: string, slug = "demo"): Promise<number> =>
    (
      await visitor(fixture.port, hostOf(slug)).post(
        "/_preview/-/enter",
        { password },
        // The test's own connection is a load balancer's: its word is believed.
        { "x-forwarded-for": `198.51.100.99, ${from}` },
      )
    ).status;
  const one: number[] = [];
  for (let at = 0; at < 5; at++) one.push(await guess(`guess ${at}`, "203.0.113.1"));
  assert.deepEqual(one, [403, 403, 403, 429, 429]);
  assert.equal(
    await guess("open sesame", "203.0.113.1"),
    429,
    "not even a good one, once the tries are used up",
  );
  assert.equal(await guess("open sesame", "203.0.113.2"), 303, "another client is not held up");
  assert.equal(await guess("a", "2001:db8::1"), 403);
  const many = [await guess("b", "203.0.113.3"), await guess("c", "203.0.113.4")];
  assert.ok(many.includes(429), "all clients together have a limit as well");
  assert.equal(await guess("open sesame", "203.0.113.1", "other"), 303, "each preview by itself");
  const page = await visitor(fixture.port, hostOf("demo")).post("/_preview/-/enter", { password: "x" });
  assert.match(page.headers["retry-after"] ?? "", /^\d+$/);
});

test("many guesses at once use neither more threads nor more tries than allowed", async () => {
  await using fixture = await startFixture({ limits: { maxPasswordChecks: 1 } });
  await publish(fixture, [await locked("demo", "open sesame")]);
  const tries = Array.from({ length: 8 }, () =>
    visitor(fixture.port, hostOf("demo")).post("/_preview/-/enter", { password: "x" }),
  );
  const statuses = (await Promise.all(tries)).map(({ status }) => status);
  assert.ok(statuses.includes(429), String(statuses));
  assert.ok(
    statuses.every((status) => status === 403 || status === 429),
    String(statuses),
  );
});

test("what is no form of ours is not understood: too long, of another type, from another site, for an open preview", async () => {
  await using fixture = await startFixture();
  await publish(fixture, [await locked("demo", "open sesame"), createPreview("public")]);
  const eve = visitor(fixture.port, hostOf("demo"));
  const answers = [
    await eve.post("/_preview/-/enter", { password: "x".repeat(20_000) }),
    await eve.post("/_preview/-/enter", { password: "x" }, { "content-type": "application/json" }),
    await eve.post("/_preview/-/enter", { password: "open sesame" }, { "sec-fetch-site": "cross-site" }),
    await visitor(fixture.port, hostOf("public")).post("/_preview/-/enter", { password: "x" }),
  ];
  for (const { status, headers } of answers) {
    assert.deepEqual(
      [status, headers["clew-error"], headers["set-cookie"]],
      [400, "E_PREVIEW_REQUEST", undefined],
    );
  }
  const ticket = await eve.post("/_preview/-/enter", { password: "x" }, { "clew-ticket": "mine" });
  assert.equal(ticket.status, 403, "a ticket from outside counts for nothing");
});
