import assert from "node:assert/strict";
import { test } from "node:test";
import type { Preview } from "@clew/control";
import { until } from "@clew/testing";
import { codeOf, epochMs, type Fixture, startFixture } from "./manager-fixture.ts";

const dayMs = 86_400_000;
const access = { kind: "public" } as const;
const gateway = {
  id: "g",
  previewUrl: "http://{slug}.preview.localhost:8000/",
  url: "http://127.0.0.1:8000/",
};

/** What a gateway knows, in the order in which it learnt it. */
function connectGateway({ client }: Fixture, signal: AbortSignal): Array<readonly Preview[]> {
  const known: Array<readonly Preview[]> = [];
  const read = async (): Promise<void> => {
    for await (const { previews } of client.previews.watch({ gateway }, { signal })) known.push(previews);
  };
  // Ends with the signal, or with the manager, which a test would see by what is missing.
  void read().catch(() => {});
  return known;
}

test("a preview has a slug that nobody guesses, lives a day, and has a URL once a gateway has been there", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const leaving = new AbortController();
  const { preview } = await client.previews.create({ route: "blue", owner: "alice", access });
  assert.match(preview.slug, /^[a-z2-7]{16}$/);
  const info = {
    slug: preview.slug,
    route: "blue",
    owner: "alice",
    createdAt: epochMs,
    expiresAt: epochMs + dayMs,
    remainingMs: dayMs,
    access: "public",
    banner: true,
    replaces: [],
  } as const;
  assert.deepEqual(preview, { ...info, key: "blue" });

  const known = connectGateway(fixture, leaving.signal);
  await until(() => known.length > 0);
  const url = `http://${preview.slug}.preview.localhost:8000/`;
  assert.deepEqual(known.at(-1), [{ ...info, key: "blue", access, url }]);
  leaving.abort();
  assert.equal(
    (await client.previews.show(preview)).preview.url,
    url,
    "it is remembered when the gateway is gone",
  );
});

test("gateways learn of each preview that is made, prolonged and removed", async () => {
  await using fixture = await startFixture();
  const { client, clock } = fixture;
  const known = connectGateway(fixture, AbortSignal.timeout(10_000));
  const { preview } = await client.previews.create({
    route: "blue",
    owner: "alice",
    name: "demo",
    expiresInMs: 1_000,
  });
  await until(() => known.at(-1)?.[0]?.slug === "demo");
  await client.previews.extend({ ...preview, expiresInMs: 2 * dayMs });
  await until(() => known.at(-1)?.[0]?.remainingMs === 2 * dayMs);
  clock.advance(dayMs);
  assert.equal((await client.previews.list({ route: "blue" })).previews[0]?.remainingMs, dayMs);
  assert.deepEqual((await client.previews.list({ route: "red" })).previews, []);
  await client.previews.revoke(preview);
  await until(() => known.at(-1)?.length === 0);
  assert.equal(await codeOf(client.previews.show(preview)), "E_PREVIEW_UNKNOWN");
  assert.equal(await codeOf(client.previews.revoke(preview)), "E_PREVIEW_UNKNOWN");
});

test("an expired preview is gone, and its name free for anybody", async () => {
  await using fixture = await startFixture();
  const { client, clock } = fixture;
  const { preview } = await client.previews.create({
    route: "blue",
    owner: "alice",
    name: "demo",
    expiresInMs: 1_000,
  });
  clock.advance(1_000);
  assert.equal(await codeOf(client.previews.extend({ ...preview, expiresInMs: dayMs })), "E_PREVIEW_UNKNOWN");
  assert.deepEqual((await client.previews.list({})).previews, []);
  const { owner, createdAt } = (await client.previews.create({ route: "red", owner: "bob", name: "demo" }))
    .preview;
  assert.deepEqual([owner, createdAt], ["bob", epochMs + 1_000]);
});

test("a chosen name is its owner's for one route: again prolongs it, others are told whose it is", async () => {
  await using fixture = await startFixture();
  const { client, clock } = fixture;
  const request = { route: "blue", owner: "alice", name: "demo", access };
  const first = await client.previews.create(request);
  clock.advance(1_000);
  const second = await client.previews.create(request);
  assert.deepEqual(second.preview, { ...first.preview, expiresAt: epochMs + 1_000 + dayMs });
  await assert.rejects(client.previews.create({ ...request, owner: "bob" }), {
    code: "E_PREVIEW_TAKEN",
    message: /alice's, for route blue/,
  });
  assert.equal(await codeOf(client.previews.create({ ...request, route: "red" })), "E_PREVIEW_TAKEN");
  assert.equal(await codeOf(client.previews.create({ ...request, name: "not.a.label" })), "E_PREVIEW_NAME");
  assert.equal(await codeOf(client.previews.create({ ...request, route: "Blue" })), "E_ROUTE_NAME");
});

test("neither more previews nor longer ones than the limits", async () => {
  await using fixture = await startFixture({ limits: { maxPreviews: 1, previewMaxMs: 30 * dayMs } });
  const { client } = fixture;
  const request = { route: "blue", owner: "alice" };
  await assert.rejects(client.previews.create({ ...request, expiresInMs: 30 * dayMs + 1 }), {
    code: "E_LIMIT",
    message: /30 days \(previewMaxMs\)/,
  });
  await client.previews.create({ ...request, expiresInMs: 30 * dayMs });
  await assert.rejects(client.previews.create(request), { code: "E_LIMIT", message: /maxPreviews/ });
});
