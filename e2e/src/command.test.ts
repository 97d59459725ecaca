import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { type Shop, startShop } from "./shop.ts";

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop[Symbol.asyncDispose]());

const commands = [
  "up",
  "intercept",
  "wiretap",
  "list",
  "status",
  "leave",
  "preview",
  "curl",
  "explain",
  "browser",
  "manager",
  "agent",
  "gateway",
];

test("every command has help with an example", async () => {
  for (const command of [
    ...commands.filter((name) => name !== "preview"),
    "preview create",
    "preview list",
    "preview show",
    "preview extend",
    "preview revoke",
    "preview remove",
    "preview visitors revoke",
  ]) {
    const { code, stdout } = await shop.run(...command.split(" "), "--help");
    assert.equal(code, 0, command);
    assert.match(stdout, new RegExp(`EXAMPLES\\n\\s+clew ${command}`), command);
    assert.match(stdout, /--json/, command);
  }
});

test("list and status show services and overrides, for people and for programs", async () => {
  await using intercept = await shop.intercept();
  const text = await shop.run("list");
  assert.match(text.stdout, /pricing .*route ann → .*, port \d+ \(ann, for \d+ s\)/);
  assert.match(text.stdout, /orders .*live for all/);
  const status = JSON.parse((await shop.run("status", "--json")).stdout);
  assert.deepEqual(
    [status.health.environment, status.services.length, status.overrides.length],
    ["shop-test", 5, 1],
  );
  await intercept.process.stop();
  assert.match((await shop.run("list")).stdout, /pricing .*live for all/);
});

test("a route that exists on a service is refused, and the error names whose it is", async () => {
  await using intercept = await shop.intercept();
  const second = await shop.run("intercept", "pricing", "--port", "4009", "--route", "ann", "--owner", "bob");
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`Route ${intercept.key} of pricing .* is taken: ann`));
  assert.match(second.stderr, /E_ROUTE_TAKEN/);
});

test("leave ends one's own override, and the intercept that held it says so", async () => {
  await using intercept = await shop.intercept();
  const foreign = await shop.run("leave", "pricing", "--owner", "bob");
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /bob has no override of pricing.*\n.*route ann of ann/);
  assert.equal((await shop.run("leave", "pricing")).code, 0);
  assert.equal((await intercept.process.exited).code, 1);
  assert.match(intercept.process.stderr, /E_INTERCEPT_ENDED/);
});

test("explain shows the decision of each agent that the request met", async () => {
  await using intercept = await shop.intercept();
  const explained = await shop.run(
    "explain",
    "--route",
    intercept.key,
    `${shop.url}/api/quotes/yarn`,
    "--json",
  );
  assert.equal(explained.code, 0, explained.stderr);
  const { decisions, status } = JSON.parse(explained.stdout);
  assert.equal(status, 200);
  const met = decisions.map((d: Record<string, string>) => [
    d["service"],
    d["destination"],
    d["reason"],
    d["caller"],
  ]);
  assert.deepEqual(met, [
    ["gateway", "live", "route-elsewhere", undefined],
    ["storefront", "live", "route-elsewhere", undefined],
    ["orders", "live", "route-elsewhere", "storefront"],
    ["pricing", "override", "route", "orders"],
    ["catalogue", "live", "route-elsewhere", "pricing"],
  ]);
  const text = await shop.run("explain", "--route", intercept.key, `${shop.url}/api/quotes/yarn`);
  assert.match(text.stdout, /pricing .*route ann of ann/);
});

test("curl sends one request on a route", async () => {
  await using intercept = await shop.intercept();
  const answer = await shop.run("curl", "--route", intercept.key, `${shop.url}/api/quotes/yarn`);
  assert.match(answer.stdout, /"cents":450/);
});

test("the wrapped command's own exit code is the intercept's", async () => {
  const ended = await shop.run(
    "intercept",
    "pricing",
    "--port",
    "4010",
    "--",
    process.execPath,
    "-e",
    "process.exit(7)",
  );
  assert.equal(ended.code, 7);
});

test("what does not exist is said, with what to do, and an exit code that tells it apart", async () => {
  const noService = await shop.run("intercept", "prices", "--port", "4011");
  assert.equal(noService.code, 69);
  assert.match(noService.stderr, /E_SERVICE_UNKNOWN/);
  assert.match(noService.stderr, /pricing/);

  const noManager = await shop.run("list", "--manager", "http://127.0.0.1:1");
  assert.equal(noManager.code, 69);
  assert.match(
    noManager.stderr,
    /no manager answers at http:\/\/127\.0\.0\.1:1 \(from --manager\)[\s\S]*clew up/,
  );

  const asJson = await shop.run("list", "--manager", "http://127.0.0.1:1", "--json");
  assert.equal(JSON.parse(asJson.stderr).error.code, "E_MANAGER_UNREACHABLE");

  for (const wrong of [
    ["intercpet"],
    ["intercept", "pricing"],
    ["intercept", "pricing", "--port", "x"],
    ["list", "--nope"],
  ]) {
    assert.equal((await shop.run(...wrong)).code, 64, wrong.join(" "));
  }
  assert.match((await shop.run("intercpet")).stderr, /intercept/);
});

test("a port that is taken is named, with the service it was for, and nothing is started", async () => {
  const second = await shop.run("up");
  assert.equal(second.code, 1);
  assert.match(second.stderr, /E_PORT_TAKEN/);
  for (const owner of ["the manager", "the gateway", "the service orders", "the agent of orders"]) {
    assert.match(second.stderr, new RegExp(`for ${owner}`));
  }
});

test("an intercept's port that is taken is named before anything is made", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const refused = await shop.run(
    "intercept",
    "pricing",
    "--port",
    String(port),
    "--",
    process.execPath,
    "-e",
    "",
  );
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /E_PORT_TAKEN/);
  server.close();
});
