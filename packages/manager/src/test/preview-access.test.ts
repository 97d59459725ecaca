import assert from "node:assert/strict";
import { test } from "node:test";
import { hashLinkToken, hashPassword } from "@clew/control";
import { temporaryDirectory } from "@clew/testing";
import { GatewayObserver, localGateway } from "./gateway-observer.ts";
import { codeOf, startFixture } from "./manager-fixture.ts";

const request = { route: "blue", owner: "alice", name: "demo" };
const password = "correct horse battery";

test("a link's token is told to its maker; gateways get its hash, lists and logs get nothing", async () => {
  await using fixture = await startFixture();
  const { client, log } = fixture;
  const gateway = new GatewayObserver(fixture);
  const { preview } = await client.previews.create({ ...request, access: { kind: "link" } });
  const token = preview.linkToken ?? "";
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.doesNotMatch(preview.url ?? "", new RegExp(token));

  await gateway.when(({ previews }) => previews.length === 1, "the gateway knows it");
  assert.deepEqual(gateway.preview("demo")?.access, { kind: "link", tokenHash: hashLinkToken(token) });
  const told = JSON.stringify([
    await client.previews.list({}),
    await client.previews.show(preview),
    await client.previews.extend({ ...preview, expiresInMs: 1_000 }),
  ]);
  for (const secret of [token, hashLinkToken(token), '"key"', "tokenHash"]) {
    assert.ok(!told.includes(secret), secret);
    assert.ok(!JSON.stringify(log).includes(secret), secret);
  }
  assert.ok(!JSON.stringify(gateway.events).includes(token));
});

test("made again, a preview keeps its link, a manager's restart later too; on demand it gets another", async () => {
  await using folder = await temporaryDirectory();
  const first = await startFixture({ directory: folder.path });
  const { preview: made } = await first.client.previews.create({ ...request, access: { kind: "link" } });
  const { entries } = await first.registry.list("v1/");
  assert.ok(!JSON.stringify([entries, first.log]).includes(made.linkToken ?? "?"), "no record has the token");
  await first[Symbol.asyncDispose]();

  await using second = await startFixture({ directory: folder.path });
  const { client } = second;
  const gateway = new GatewayObserver(second);
  const again = await client.previews.create({ ...request, banner: false });
  assert.deepEqual([again.preview.access, again.preview.linkToken], ["link", made.linkToken]);
  const shown = await client.previews.show({ slug: "demo", withLink: true });
  assert.equal(shown.linkToken, made.linkToken, "who asks for it is told");
  const renewed = await client.previews.create({ ...request, access: { kind: "link", renew: true } });
  const token = renewed.preview.linkToken ?? "";
  assert.notEqual(token, made.linkToken);
  await gateway.when(
    ({ previews: [preview] }) =>
      preview?.access.kind === "link" && preview.access.tokenHash === hashLinkToken(token),
    "the gateway knows the new link",
  );
  const other = await client.previews.create({ ...request, name: "other", access: { kind: "link" } });
  assert.notEqual(other.preview.linkToken, token);
  // Secret again after it was public for a while, it has a link that nobody had before.
  await client.previews.create({ ...request, access: { kind: "public" } });
  assert.equal((await client.previews.show({ slug: "demo", withLink: true })).linkToken, undefined);
  const closed = await client.previews.create({ ...request, access: { kind: "link" } });
  assert.ok(![made.linkToken, token].includes(closed.preview.linkToken));
});

test("of a password only the scrypt hash is kept, in the registry too, and none is in a log", async () => {
  await using folder = await temporaryDirectory();
  const first = await startFixture({ directory: folder.path });
  await first.client.previews.create({ ...request, access: { kind: "password", password } });
  const { entries } = await first.registry.list("v1/");
  assert.ok(!JSON.stringify([entries, first.log]).includes(password));
  await first[Symbol.asyncDispose]();

  await using second = await startFixture({ directory: folder.path });
  const gateway = new GatewayObserver(second);
  await gateway.when(({ previews }) => previews.length === 1, "the preview outlived the manager");
  const access = gateway.preview("demo")?.access;
  assert.ok(access?.kind === "password");
  assert.equal(await hashPassword(password, access.salt), access.hash);
  assert.notEqual(await hashPassword("correct horse batterx", access.salt), access.hash);
  // Made again without a word about it, the password stays.
  const { preview } = await second.client.previews.create(request);
  assert.deepEqual([preview.access, preview.linkToken], ["password", undefined]);
});

test("a password that is too short is refused", async () => {
  await using fixture = await startFixture();
  const access = { kind: "password", password: "short" } as const;
  assert.equal(await codeOf(fixture.client.previews.create({ ...request, access })), "INVALID_ARGUMENTS");
  assert.ok(!JSON.stringify(fixture.log).includes(access.password));
});

test("unless it is said, a preview is public where only this machine reaches the gateway, else for the link", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const accessOfNew = async (): Promise<string> =>
    (await client.previews.create({ route: "blue", owner: "alice" })).preview.access;
  assert.equal(await accessOfNew(), "link", "no gateway is known yet");
  const places = [
    ["public", localGateway.url, localGateway.previewUrl],
    ["link", "http://10.0.0.7:8000/", localGateway.previewUrl],
    // Behind a web server of this machine, others reach it all the same.
    ["link", localGateway.url, "https://{slug}.preview.example.com/"],
    ["public", "http://[::1]:8000/", "http://[::1]:8000/_preview/{slug}"],
  ] as const;
  for (const [access, url, previewUrl] of places) {
    const gateway = new GatewayObserver(fixture, { ...localGateway, url, previewUrl });
    await gateway.when(() => true, "the gateway is known");
    assert.equal(await accessOfNew(), access, `${url} ${previewUrl}`);
  }
});

test("a preview's fields, headers, ingress and bar reach gateways; a header that lets somebody in is hidden in lists", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const gateway = new GatewayObserver(fixture, { ...localGateway, ingresses: ["shop", "admin"] });
  await gateway.when(() => true, "the gateway is known");
  const fields = { tenant_id: "acme", feature_flags: ["beta"] };
  const headers = [["X-Beta", "1"] as const, ["Authorization", "Basic c2VjcmV0"] as const];
  const settings = { fields, headers, ingress: "shop", banner: false };
  await client.previews.create({ ...request, ...settings });
  const lowerCase = [
    ["x-beta", "1"],
    ["authorization", "Basic c2VjcmV0"],
  ];
  await gateway.when(({ previews }) => previews.length === 1, "the gateway knows it");
  const { fields: told, headers: toldHeaders, ingress, banner } = gateway.preview("demo") ?? {};
  assert.deepEqual([told, toldHeaders, ingress, banner], [fields, lowerCase, "shop", false]);
  const { preview } = await client.previews.show({ slug: "demo" });
  assert.deepEqual(preview.headers, [
    ["x-beta", "1"],
    ["authorization", "(hidden)"],
  ]);
  const { preview: again } = await client.previews.create({ ...request, headers: [], banner: true });
  assert.deepEqual([again.fields, again.headers, again.banner], [fields, undefined, true]);
});

test("what a preview cannot carry is refused by name", async () => {
  await using fixture = await startFixture({ limits: { maxPreviewHeaders: 2, maxPreviewBytes: 64 } });
  const { client } = fixture;
  const gateway = new GatewayObserver(fixture, { ...localGateway, ingresses: ["shop"] });
  await gateway.when(() => true, "the gateway is known");
  const refused = (changes: object): Promise<string> =>
    codeOf(client.previews.create({ ...request, ...changes }));
  for (const name of [
    "Host",
    "cookie",
    "Content-Length",
    "baggage",
    "x-forwarded-for",
    "clew-edge",
    "a b",
    "",
  ]) {
    const code = name === "" ? "INVALID_ARGUMENTS" : "E_PREVIEW_HEADER";
    assert.equal(await refused({ headers: [[name, "1"]] }), code, name);
  }
  assert.equal(await refused({ headers: [["x-beta", "1\r\nx-evil: 1"]] }), "E_PREVIEW_HEADER");
  assert.equal(await refused({ headers: Array(3).fill(["x-beta", "1"]) }), "E_LIMIT");
  assert.equal(await refused({ headers: [["x-beta", "1".repeat(64)]] }), "E_LIMIT");
  assert.equal(await refused({ fields: { "clew-route": "red" } }), "E_PREVIEW_FIELD");
  assert.equal(await refused({ fields: { caller: "me" } }), "E_PREVIEW_FIELD");
  assert.equal(await refused({ fields: { tenant_id: "a".repeat(64) } }), "E_LIMIT");
  await assert.rejects(client.previews.create({ ...request, ingress: "shp" }), {
    code: "E_INGRESS_UNKNOWN",
    hint: "It has: shop.",
  });
});
