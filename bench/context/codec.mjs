// @ts-check
// Extract and inject, beside OpenTelemetry's composite propagator; the two take turns, so that the machine's moods fall
// on both. `node codec.mjs CASE ROUNDS` prints ns as JSON, `node codec.mjs list` the cases: each is to have a process of
// its own, as cases of another kind would change what the compiler makes of this one.

import { emptyContext, extractContext, injectContext } from "@clew/context";
import { defaultTextMapGetter, defaultTextMapSetter, propagation, ROOT_CONTEXT } from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";

/** @typedef {Record<string, string>} Headers */

const otel = new CompositePropagator({
  propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
});
const service = { service: "service-a" };

const trace = {
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
};
const members = (/** @type {number} */ count, /** @type {number} */ valueBytes) =>
  Array.from({ length: count }, (_, index) => `field.${index}=${"v".repeat(valueBytes)}`).join(",");
const headers = {
  typical: {
    ...trace,
    baggage:
      "tenant_id=acme-corp,user_id=u-829137,feature_flags=new-checkout%2Cdark-mode%2Cbeta,clew-route=canary-eu",
  },
  "20 members": { ...trace, baggage: `tenant_id=acme,${members(19, 20)}` },
  "at the limit": { ...trace, baggage: `tenant_id=acme,${members(63, 110)}` },
  "64 KiB": { ...trace, baggage: `tenant_id=acme,${members(5_000, 4)}` },
  "64 KiB, one member": { ...trace, baggage: `tenant_id=${"v".repeat(65_536)}` },
};

/** What is used, so that nothing is optimized away. */
let used = 0;

/** @param {Headers} from */
const clewExtract = (from) => extractContext((name) => from[name]);
/** @param {import("@clew/context").Context} context */
const clewInject = (context) => {
  /** @type {Headers} */
  const to = {};
  injectContext(
    context,
    (name, value) => {
      to[name] = value;
    },
    service,
  );
  used += 1 + (to["traceparent"]?.length ?? 0);
};
/** @param {Headers} from */
const otelExtract = (from) => otel.extract(ROOT_CONTEXT, from, defaultTextMapGetter);
/** @param {import("@opentelemetry/api").Context} context */
const otelInject = (context) => {
  /** @type {Headers} */
  const to = {};
  otel.inject(context, to, defaultTextMapSetter);
  used += 1 + (to["traceparent"]?.length ?? 0);
};

/** @param {Headers} from */
const unchanged = (from) => ({
  clew: () => clewInject(clewExtract(from)),
  otel: () => otelInject(otelExtract(from)),
});

/** @param {Headers} from */
const readOne = (from) => ({
  clew() {
    const context = clewExtract(from);
    used += String(context.get("tenant_id")).length;
    clewInject(context);
  },
  otel() {
    const context = otelExtract(from);
    used += propagation.getBaggage(context)?.getEntry("tenant_id")?.value.length ?? 0;
    otelInject(context);
  },
});

/** @param {Headers} from */
const changeOne = (from) => ({
  clew: () => clewInject(clewExtract(from).with({ plan: "gold" })),
  otel() {
    const context = otelExtract(from);
    const baggage = propagation.getBaggage(context) ?? propagation.createBaggage();
    otelInject(propagation.setBaggage(context, baggage.setEntry("plan", { value: "gold" })));
  },
});

/** @param {Headers} from */
const injectOnly = (from) => {
  const [ours, theirs] = [clewExtract(from), otelExtract(from)];
  return { clew: () => clewInject(ours), otel: () => otelInject(theirs) };
};

const cases = {
  "no context": unchanged({ host: "a" }),
  "trace alone": unchanged({ traceparent: trace.traceparent }),
  unchanged: unchanged(headers.typical),
  "read one": readOne(headers.typical),
  "change one": changeOne(headers.typical),
  "inject alone": injectOnly(headers.typical),
  "20 members, unchanged": unchanged(headers["20 members"]),
  "20 members, read one": readOne(headers["20 members"]),
  "20 members, change one": changeOne(headers["20 members"]),
  "at the limit, unchanged": unchanged(headers["at the limit"]),
  "at the limit, change one": changeOne(headers["at the limit"]),
  "64 KiB, unchanged": unchanged(headers["64 KiB"]),
  "64 KiB, change one": changeOne(headers["64 KiB"]),
  "64 KiB, one member": unchanged(headers["64 KiB, one member"]),
  "empty, with one": {
    clew: () => clewInject(emptyContext.with({ tenant_id: "acme" })),
    otel: () =>
      otelInject(
        propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ tenant_id: { value: "acme" } })),
      ),
  },
};

/** A turn is as long as makes the clock's own cost vanish. */
const turnMs = 4;

/** @param {() => void} run @param {number} count @returns {number} ns for each */
function time(run, count) {
  const startedAt = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) run();
  return Number(process.hrtime.bigint() - startedAt) / count;
}

/** @param {readonly number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const [, , name = "unchanged", rounds = "25"] = process.argv;
const pair = Object.entries(cases).find(([known]) => known === name)?.[1];
if (pair === undefined) {
  process.stdout.write(JSON.stringify(Object.keys(cases)));
} else {
  process.stdout.write(JSON.stringify({ name, ...measure(pair, Number(rounds)) }));
  if (used === 0) throw new Error("nothing was measured");
}

/** @param {{ clew: () => void, otel: () => void }} pair @param {number} count */
function measure(pair, count) {
  const lanes = [pair.clew, pair.otel].map((run) => {
    time(run, 20_000);
    const perTurn = Math.max(10, Math.round((turnMs * 1e6) / time(run, 200)));
    return { run, perTurn, samples: /** @type {number[]} */ ([]) };
  });
  for (let round = 0; round < count; round += 1) {
    for (const { run, perTurn, samples } of lanes) samples.push(time(run, perTurn));
  }
  const [ours = [], theirs = []] = lanes.map(({ samples }) => samples);
  return {
    clewNs: Math.round(median(ours)),
    otelNs: Math.round(median(theirs)),
    ratio: median(ours.map((sample, round) => (theirs[round] ?? Number.NaN) / sample)),
  };
}
