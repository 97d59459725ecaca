import assert from "node:assert/strict";
import { test } from "node:test";
import { hashLinkToken, hashPassword, type Preview } from "@clew/control";
import { ask, createPreview, type Fixture, headerSeen, publish, startFixture } from "./gateway-fixture.ts";
import { type Visitor, visitor } from "./visitor.ts";

/** A host that is no preview's, as where no names can be had for previews. */
const host = "shop.example";

async function shop(...previews: Preview[]): Promise<Fixture & { ann: Visitor }> {
  const fixture = await startFixture();
  await publish(fixture, previews);
  return Object.assign(fixture, { ann: visitor(fixture.port, host) });
}

test("a preview is entered at /_preview/<slug>, holds for the whole host, and is left again", async () => {
  await using fixture = await shop(createPreview("demo"));
  const { ann } = fixture;
  assert.equal(headerSeen((await ann.page("/shop")).seen, "baggage"), undefined, "live");
  const door = await ann.page("/_preview/demo");
  assert.deepEqual([door.status, door.headers.location], [303, "/"]);
  for (const path of ["/shop", "/style.css"]) {
    const { seen } = await ann.fetch(path);
    assert.deepEqual(
      [headerSeen(seen, "baggage"), headerSeen(seen, "cookie")],
      ["clew-route=mine", undefined],
    );
  }
  for (const way of ["/_preview/", "/_preview", "/_preview/leave", "/_preview/-/leave"]) {
    await ann.page("/_preview/demo");
    assert.equal(ann.cookies.size, 1);
    const left = await ann.page(way);
    assert.deepEqual([left.status, left.headers.location, ann.cookies.size], [303, "/", 0], way);
  }
  assert.equal(headerSeen((await ann.page("/shop")).seen, "baggage"), undefined, "live again");
});

test("what the browser keeps of live and of a preview is not mixed up", async () => {
  await using fixture = await shop(createPreview("demo"));
  await using sharing = await startFixture({ previewUrl: "https://shop.example/_preview/{slug}" });
  assert.equal(
    (await ask(sharing.port)).headers.vary,
    "Cookie",
    "live as well, where previews are told of at its own host",
  );
  assert.equal((await fixture.ann.page("/live")).headers.vary, undefined);
  const door = await fixture.ann.page("/_preview/demo");
  assert.equal(door.headers["clear-site-data"], '"cache"');
  const { headers } = await fixture.ann.fetch("/style.css");
  assert.deepEqual([headers["cache-control"], headers.vary], ["private, no-cache", "Cookie"]);
});

test("by link and by password, the door lets in who may, and leads on to where they wanted to go", async () => {
  const salt = Buffer.from("0123456789abcdef").toString("base64url");
  const hash = await hashPassword("open sesame", salt);
  await using fixture = await shop(
    createPreview("linked", { access: { kind: "link", tokenHash: hashLinkToken("secret") } }),
    createPreview("locked", { access: { kind: "password", salt, hash } }),
  );
  const { ann, port } = fixture;
  assert.equal((await ann.page("/_preview/linked")).status, 403);
  assert.equal((await ann.page("/_preview/linked?clew-visit=wrong")).status, 403);
  const opened = await ann.page("/_preview/linked?clew-visit=secret");
  assert.deepEqual([opened.status, opened.headers.location], [303, "/"]);
  assert.equal(headerSeen((await ann.page("/")).seen, "baggage"), "clew-route=mine");
  const ben = visitor(port, host);
  const asked = await ben.page("/_preview/locked?return=%2Fcart");
  assert.match(asked.body, /<form method="post" action="\/_preview\/locked">/);
  assert.match(asked.body, /name="return" value="\/cart"/);
  assert.equal((await ben.post("/_preview/locked", { password: "no", return: "/cart" })).status, 403);
  const right = await ben.post("/_preview/locked", { password: "open sesame", return: "/cart" });
  assert.deepEqual([right.status, right.headers.location], [303, "/cart"]);
  assert.equal((await ben.page("/cart")).status, 200);
});

test("a cookie that is no longer good leads a page to the door, refuses the rest, and never shows live by surprise", async () => {
  await using fixture = await shop(createPreview("demo"));
  const { ann } = fixture;
  await ann.page("/_preview/demo");
  await publish(fixture, [createPreview("demo", { createdAt: 2 })]);
  const page = await ann.page("/cart?a=1");
  assert.deepEqual([page.status, page.headers.location], [303, "/_preview/demo?return=%2Fcart%3Fa%3D1"]);
  assert.equal((await ann.fetch("/api")).status, 403);
  const door = await ann.page(page.headers.location ?? "");
  assert.deepEqual([door.status, door.headers.location], [303, "/cart?a=1"]);
  assert.equal((await ann.page("/cart")).status, 200);
  await publish(fixture, [], { ended: [{ slug: "demo", owner: "ann", how: "revoked", at: 1 }] });
  const ended = await ann.page("/cart");
  assert.equal(ended.status, 410);
  assert.match(ended.body, /href="\/_preview\/-\/leave">Go to the live version/);
  const stranger = await ann.page("/", { cookie: "clew-visit=made.up.by.somebody; a=1" });
  assert.equal(stranger.status, 200, "a cookie that names no preview is nothing");
});

test("the bar and the away page work there too, and the bar leads out", async () => {
  const replaces = [{ service: "cart", owner: "ann", kind: "tunnel", reachable: false }] as const;
  await using fixture = await startFixture(
    {},
    { handle: (_request, response) => void response.setHeader("content-type", "text/html").end("<body>hi") },
  );
  await publish(fixture, [createPreview("demo", { replaces })]);
  const ann = visitor(fixture.port, host);
  await ann.page("/_preview/demo");
  assert.equal((await ann.page("/")).headers["clew-error"], "E_PREVIEW_AWAY");
  assert.equal((await ann.page("/_preview/-/show-live?return=/a")).headers.location, "/a");
  assert.match((await ann.page("/a")).body, /href="\/_preview\/-\/leave">Leave this preview/);
  assert.match((await ann.fetch("/_preview/-/status")).body, /machine away/);
  assert.equal((await visitor(fixture.port, host).fetch("/_preview/-/status")).status, 400);
});

test("a preview may be called leave", async () => {
  await using fixture = await shop(createPreview("leave"));
  await fixture.ann.page("/_preview/leave");
  assert.equal(headerSeen((await fixture.ann.page("/")).seen, "baggage"), "clew-route=mine");
});
