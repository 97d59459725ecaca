import assert from "node:assert/strict";
import { test } from "node:test";
import type { Plan, RequestHead, Upstream } from "@clew/proxy";
import { indexTable, type Override, type Table } from "@clew/routing";
import { createPipeline, type PipelineOptions } from "./pipeline.ts";
import { createOverride } from "./test/agent-fixture.ts";

const live: Upstream = { key: "live", connect: () => Promise.reject(new Error("not here")) };

function pipelineWith(changes: Partial<Table>, options: Partial<PipelineOptions> = {}) {
  const table = indexTable(
    { revision: 1, service: "orders", overrides: [], rules: [], wiretaps: [], ...changes },
    "http",
  );
  return createPipeline({
    service: "orders",
    agent: "a",
    port: "http",
    health: undefined,
    limits: { reachTimeoutMs: 1_000 },
    live,
    overrides: { of: () => live, keepOnly: () => [] },
    wiretaps: { of: () => [] },
    histograms: undefined,
    reports: { add: () => undefined, close: async () => undefined },
    keys: () => ({ open: true }),
    table: () => table,
    ...options,
  });
}

/** Notes every question; anything but the baggage is one too many. */
function headWith(baggage: string | undefined): { head: RequestHead; asked: string[] } {
  const asked: string[] = [];
  const refuse = (what: string) => () => assert.fail(`${what} was looked at`);
  const head = {
    header(name: string) {
      asked.push(name);
      return name === "baggage" ? baggage : assert.fail(`${name} was asked for`);
    },
    includes(name: string, text: string) {
      return head.header(name)?.includes(text) ?? false;
    },
    get method(): string {
      return refuse("the method")();
    },
    get path(): string {
      return refuse("the path")();
    },
    get rawHeaders(): readonly string[] {
      return refuse("the header list")();
    },
    get upgrade(): string | undefined {
      return refuse("the upgrade")();
    },
  };
  return { head: head as unknown as RequestHead, asked };
}

const overrides: readonly Override[] = Array.from({ length: 10_000 }, (_, index) =>
  createOverride({ kind: "address", url: "http://127.0.0.1:1" }, { id: `o${index}`, route: `r${index}` }),
);

test("a request that nothing selects gets the one live plan, and is asked for its baggage alone, however many overrides there are", () => {
  for (const route of [pipelineWith({}), pipelineWith({ overrides })]) {
    const plans = new Set<Plan>();
    for (const baggage of [undefined, "tenant_id=acme,user_id=42"]) {
      const { head, asked } = headWith(baggage);
      plans.add(route(head) as Plan);
      assert.deepEqual(asked, ["baggage"]);
    }
    assert.equal(plans.size, 1, "no plan is made for it");
  }
});

test("with durations measured it is still one plan", () => {
  const observed: number[] = [];
  const observe = { observe: (seconds: number) => void observed.push(seconds) };
  const histograms = { live: observe, override: observe, decision: observe } as unknown as NonNullable<
    PipelineOptions["histograms"]
  >;
  const route = pipelineWith({ overrides }, { histograms });
  const plan = route(headWith(undefined).head) as Plan;
  assert.equal(plan, route(headWith(undefined).head));
  plan.done?.({ status: 200, fellBack: false, durationMs: 5 });
  assert.deepEqual(observed, [0.005]);
});
