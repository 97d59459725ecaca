import assert from "node:assert/strict";
import { test } from "node:test";
import type { PreviewVisit, PreviewVisitor } from "@clew/control";
import { temporaryDirectory, until } from "@clew/testing";
import { defaultManagerLimits } from "../limits.ts";
import { GatewayObserver } from "./gateway-observer.ts";
import { codeOf, epochMs, type Fixture, startFixture } from "./manager-fixture.ts";

const created = { route: "blue", owner: "alice", name: "demo" };

function visit(visitor: string, at: number, changes: Partial<PreviewVisit> = {}): PreviewVisit {
  return { slug: "demo", visitor, at: epochMs + at, path: `/${at}`, userAgent: "Firefox", ...changes };
}

async function visitors({ client }: Fixture): Promise<readonly PreviewVisitor[]> {
  return (await client.previews.show({ slug: "demo" })).visitors;
}

test("show says who visited, how often, when and where last; the most recent first", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  await client.previews.create(created);
  assert.deepEqual(await visitors(fixture), []);
  await client.previews.visits({
    visits: [visit("v1", 1), visit("v2", 2), visit("gone", 3, { slug: "gone" })],
  });
  await client.previews.visits({ visits: [visit("v1", 5, { userAgent: undefined })] });
  assert.deepEqual(await visitors(fixture), [
    { visitor: "v1", firstAt: epochMs + 1, lastAt: epochMs + 5, visits: 2, path: "/5", revoked: false },
    {
      visitor: "v2",
      firstAt: epochMs + 2,
      lastAt: epochMs + 2,
      visits: 1,
      path: "/2",
      userAgent: "Firefox",
      revoked: false,
    },
  ]);
});

test("visits and revoked visitors are there after a restart, and so is the secret for cookies", async () => {
  await using folder = await temporaryDirectory();
  const first = await startFixture({ directory: folder.path });
  const gateway = new GatewayObserver(first);
  await first.client.previews.create(created);
  await first.client.previews.visits({ visits: [visit("v1", 1), visit("v2", 2)] });
  await first.client.previews.revokeVisitor({ slug: "demo", visitor: "v1" });
  const { visitorKey } = await gateway.when(
    ({ revokedVisitors }) => revokedVisitors?.["demo"]?.join() === "v1",
    "the gateway turns v1 away",
  );
  assert.equal(Buffer.from(visitorKey ?? "", "base64url").length, 32);
  assert.ok(!JSON.stringify(first.log).includes(visitorKey ?? "?"));
  await first[Symbol.asyncDispose]();

  await using second = await startFixture({ directory: folder.path });
  const later = new GatewayObserver(second);
  const told = await later.when(() => true, "a gateway is told");
  assert.deepEqual([told.visitorKey, told.revokedVisitors], [visitorKey, { demo: ["v1"] }]);
  await second.client.previews.visits({ visits: [visit("v1", 9)] });
  assert.deepEqual(
    (await visitors(second)).map(({ visitor, visits, revoked }) => [visitor, visits, revoked]),
    [
      ["v1", 2, true],
      ["v2", 1, false],
    ],
  );
  // Made again, it turns the same visitor away.
  await second.client.previews.create(created);
  await later.when(({ revokedVisitors }) => revokedVisitors?.["demo"]?.join() === "v1", "v1 is still away");
});

test("only a visitor that was there can be revoked, and only so many", async () => {
  await using fixture = await startFixture({ limits: { maxPreviewVisitors: 2, maxRevokedVisitors: 1 } });
  const { client } = fixture;
  await client.previews.create(created);
  await client.previews.visits({ visits: [visit("v1", 1), visit("v2", 2), visit("v3", 3)] });
  assert.deepEqual(
    (await visitors(fixture)).map(({ visitor }) => visitor),
    ["v3", "v2"],
  );
  const revoke = (visitor: string): Promise<unknown> =>
    client.previews.revokeVisitor({ slug: "demo", visitor });
  assert.equal(await codeOf(revoke("v1")), "E_VISITOR_UNKNOWN");
  await revoke("v2");
  await revoke("v2");
  await assert.rejects(revoke("v3"), { code: "E_LIMIT", message: /maxRevokedVisitors/ });
  const unknown = client.previews.revokeVisitor({ slug: "none", visitor: "v2" });
  assert.equal(await codeOf(unknown), "E_PREVIEW_UNKNOWN");
});

test("gateways are told how a preview ended, until it is forgotten or its name is used again", async () => {
  await using fixture = await startFixture({ limits: { endedPreviewMs: 10_000, maxEndedPreviews: 2 } });
  const { client, clock } = fixture;
  const gateway = new GatewayObserver(fixture);
  const create = (name: string, expiresInMs: number): Promise<unknown> =>
    client.previews.create({ ...created, name, expiresInMs });
  await create("short", 1_000);
  await create("cut", 60_000);
  await create("other", 60_000);
  clock.advance(2_000);
  await client.previews.revoke({ slug: "cut" });
  const both = await gateway.when(({ ended }) => ended?.length === 2, "two have ended");
  assert.deepEqual(both.ended, [
    { slug: "cut", owner: "alice", how: "revoked", at: epochMs + 2_000 },
    { slug: "short", owner: "alice", how: "expired", at: epochMs + 1_000 },
  ]);
  assert.deepEqual(
    both.previews.map(({ slug }) => slug),
    ["other"],
  );
  await assert.rejects(client.previews.extend({ slug: "cut", expiresInMs: 1 }), {
    code: "E_PREVIEW_UNKNOWN",
    message: /"cut" of alice was revoked/,
  });
  await assert.rejects(client.previews.show({ slug: "short" }), { message: /"short" of alice has expired/ });

  clock.advance(1_000);
  await client.previews.revoke({ slug: "other" });
  await gateway.when(
    ({ ended }) => ended?.map(({ slug }) => slug).join() === "other,cut",
    "the oldest beyond the limit is forgotten",
  );
  await create("other", 60_000);
  await gateway.when(
    ({ ended }) => ended?.map(({ slug }) => slug).join() === "cut,short",
    "other lives again",
  );
  clock.advance(10_000);
  await create("late", 60_000);
  await gateway.when(({ ended }) => ended?.length === 0, "those of long ago are forgotten");
});

test("a name that is used again is another preview: nothing of the one before is told of it", async () => {
  await using fixture = await startFixture({ limits: { visitWriteMs: 1 } });
  const { client, clock } = fixture;
  await fixture.watch("pricing");
  const gateway = new GatewayObserver(fixture);
  await client.previews.create(created);
  const session = await client.sessions.open({ owner: "alice", host: "laptop" });
  const target = { kind: "tunnel", port: 4005 } as const;
  await client.overrides.put({ ...session, override: { route: "blue", service: "pricing", target } });
  await gateway.when(({ previews: [preview] }) => preview?.replaces.length === 1, "pricing is replaced");
  clock.advance(15_000);
  await until(async () => (await client.overrides.list({})).overrides.length === 0);
  await client.previews.visits({ visits: [visit("v1", 1)] });
  await until(async () => (await fixture.registry.get("v1/visitors/demo")) !== undefined);
  await client.previews.visits({ visits: [visit("v2", 2)] });
  await client.previews.revokeVisitor({ slug: "demo", visitor: "v1" });
  await client.previews.revoke({ slug: "demo" });

  await client.previews.create({ ...created, owner: "bob" });
  const told = await gateway.when(({ previews: [preview] }) => preview?.owner === "bob", "bob's is known");
  assert.deepEqual([told.previews[0]?.replaces, told.revokedVisitors], [[], {}]);
  assert.deepEqual(await visitors(fixture), []);
});

test("as many previews as may be, each as large as may be, are one event that can be sent", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const { maxPreviews, maxPreviewBytes, maxRevokedVisitors } = defaultManagerLimits;
  const gateway = new GatewayObserver(fixture);
  await client.previews.create({
    ...created,
    // Escaped by JSON each character takes two; in baggage it takes three.
    fields: { a: '"'.repeat(Math.floor((maxPreviewBytes - "a=".length) / 3) - 2) },
    headers: [["x", '"'.repeat(maxPreviewBytes - 1)]],
  });
  const ids = Array.from({ length: maxRevokedVisitors }, (_, at) => `v${at}`.padEnd(32, "x"));
  await client.previews.visits({ visits: ids.map((id, at) => visit(id, at)) });
  for (const id of ids) await client.previews.revokeVisitor({ slug: "demo", visitor: id });
  const event = await gateway.when(
    ({ revokedVisitors }) => revokedVisitors?.["demo"]?.length === maxRevokedVisitors,
    "all are revoked",
  );
  const length = JSON.stringify(event).length;
  assert.ok(length > maxPreviewBytes * 3);
  assert.ok(length * maxPreviews < 10_485_760, `${length} characters for each of ${maxPreviews}`);
});
