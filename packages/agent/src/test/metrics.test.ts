import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMetrics } from "@clew/proxy";
import { until } from "@clew/testing";
import { ask, createOverride, type Fixture, keyed, startFixture } from "./agent-fixture.ts";

/** The value of a sample, by its whole name with labels. */
function sampleOf({ agent }: Fixture, sample: string): number | undefined {
  const line = formatMetrics(agent.metrics())
    .split("\n")
    .find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

const at = 'service="orders",port="http"';

test("requests are counted, and timed by where they went; so are decisions, connections and the table", async () => {
  await using fixture = await startFixture({ metrics: true });
  fixture.manager.publish({ overrides: [createOverride(fixture.mine)] });
  await until(async () => (await ask(fixture.port, keyed)).by === "mine");
  for (let count = 0; count < 3; count++) await ask(fixture.port);
  const timed = (destination: string): string =>
    `clew_request_duration_seconds_count{${at},destination="${destination}"}`;
  await until(() => sampleOf(fixture, timed("override")) === 1 && sampleOf(fixture, timed("live")) === 3);
  assert.equal(sampleOf(fixture, `clew_requests_total{${at}}`), 4);
  assert.equal(sampleOf(fixture, `clew_answers_total{${at},class="2xx"}`), 4);
  assert.equal(sampleOf(fixture, `clew_decision_duration_seconds_count{${at}}`), 1, "the others needed none");
  assert.equal(sampleOf(fixture, `clew_connections_total{${at}}`), 4);
  assert.equal(sampleOf(fixture, 'clew_table_revision{service="orders"}'), 2);
  assert.equal(sampleOf(fixture, 'clew_manager_connected{service="orders"}'), 1);
  await fixture.manager.stop();
  await until(() => sampleOf(fixture, 'clew_manager_connected{service="orders"}') === 0);
});

test("without being asked for, nothing is timed", async () => {
  await using fixture = await startFixture();
  await ask(fixture.port);
  assert.equal(sampleOf(fixture, `clew_requests_total{${at}}`), 1);
  assert.doesNotMatch(formatMetrics(fixture.agent.metrics()), /duration/);
});
