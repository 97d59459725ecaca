import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@clew/testing";
import { parseStructuredItem } from "@clew/wire";
import { ask, createOverride, keyed, startFixture } from "./agent-fixture.ts";

function decisionOf(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, unknown> | undefined {
  const item = parseStructuredItem(String(headers["clew-decision"]));
  if (item === undefined) return undefined;
  const { "decide-us": decideUs, agent, ...parameters } = item.parameters ?? {};
  assert.equal(typeof decideUs, "number");
  assert.match(String(agent), /^orders-/);
  const plain = { destination: item.value, ...parameters };
  return JSON.parse(JSON.stringify(plain, (_, value) => (value?.name === undefined ? value : value.name)));
}

test("a request with clew-explain is told the decision, and the manager gets it at once under the nonce", async () => {
  // An hour: what is reported before was sent at once.
  await using fixture = await startFixture({ limits: { reportIntervalMs: 3_600_000 } });
  const { manager, port } = fixture;
  const live = await ask(port, { baggage: "clew-explain=n1" }, "/a?secret=1");
  const about = { service: "orders", port: "http" };
  assert.deepEqual(decisionOf(live.headers), { destination: "live", ...about, reason: "no-match" });
  manager.publish({ overrides: [createOverride(fixture.mine)] });
  const explained = { baggage: "clew-route=mine,clew-explain=n2", "x-forrst-caller": "storefront" };
  const mine = await until(async () => {
    const answer = await ask(port, explained);
    return answer.by === "mine" && answer;
  });
  assert.deepEqual(decisionOf(mine.headers), {
    destination: "override",
    ...about,
    reason: "route",
    route: "mine",
    override: "o1",
    owner: "ann",
  });
  await until(() =>
    manager.reports.some(({ nonce, destination }) => nonce === "n2" && destination === "override"),
  );
  const [first, last] = [manager.reports[0], manager.reports.at(-1)];
  assert.deepEqual(
    [first?.nonce, first?.path, first?.destination, first?.reason, first?.status],
    ["n1", "/a", "live", "no-match", 200],
  );
  assert.deepEqual(
    [last?.caller, last?.override, last?.owner, last?.route, last?.fallback],
    ["storefront", "o1", "ann", "mine", undefined],
  );
});

test("a request that nobody asked about gets no clew-decision, and only an overridden one is reported", async () => {
  await using fixture = await startFixture({ limits: { reportIntervalMs: 1 } });
  const { manager, port } = fixture;
  manager.publish({ overrides: [createOverride(fixture.mine)] });
  const mine = await until(async () => {
    const answer = await ask(port, keyed, "/mine");
    return answer.by === "mine" && answer;
  });
  assert.equal(mine.headers["clew-decision"], undefined);
  const live = await ask(port, {}, "/live");
  assert.equal(live.headers["clew-decision"], undefined);
  await ask(port, keyed, "/last");
  await until(() => manager.reports.some((report) => report.path === "/last"));
  assert.deepEqual(
    manager.reports.map((report) => report.path).filter((path) => path === "/live"),
    [],
  );
});

test("the first agent's decision is the caller's: one that came with the answer makes room", async () => {
  await using further = await startFixture();
  const { host, port } = further.agent.ports["http"] ?? { host: "", port: 0 };
  await using fixture = await startFixture({
    ports: { front: { listen: { host: "127.0.0.1", port: 0 }, upstream: { host, port }, protocol: "auto" } },
  });
  const answer = await ask(fixture.agent.ports["front"]?.port ?? 0, { baggage: "clew-explain=n1" });
  assert.equal(decisionOf(answer.headers)?.["port"], "front");
});
