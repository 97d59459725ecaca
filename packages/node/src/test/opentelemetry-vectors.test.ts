import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ClewPropagator } from "@clew/context/opentelemetry";
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
} from "@opentelemetry/api";
import { core } from "@opentelemetry/sdk-node";

type Parts = readonly (string | { readonly repeat: string; readonly times: number })[];
/** Name, value and, if there are any, properties. */
type Field = readonly (string | Parts)[];

interface Outcome {
  readonly fields?: readonly Field[];
  readonly out: Readonly<Record<string, Parts>>;
}

interface Vector {
  readonly title: string;
  readonly in: Readonly<Record<string, Parts | readonly Parts[]>>;
  readonly both?: Outcome;
  readonly differs?: string;
  readonly openTelemetry?: Outcome;
  readonly clew?: Outcome;
}

function join(parts: string | Parts): string {
  if (typeof parts === "string") return parts;
  return parts.map((part) => (typeof part === "string" ? part : part.repeat.repeat(part.times))).join("");
}

function isOneLine(value: Parts | readonly Parts[]): value is Parts {
  return !Array.isArray(value[0]);
}

function carrierOf(vector: Vector): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(vector.in).map(([name, value]) => [
      name,
      isOneLine(value) ? join(value) : value.map(join),
    ]),
  );
}

function outcome(propagator: TextMapPropagator, carrier: object): unknown {
  const extracted = propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
  const out: Record<string, string> = {};
  propagator.inject(extracted, out, defaultTextMapSetter);
  delete out["x-forrst-caller"];
  const entries = propagation.getBaggage(extracted)?.getAllEntries() ?? [];
  const fields = entries.map(([name, { value, metadata }]) =>
    metadata === undefined ? [name, value] : [name, value, metadata.toString()],
  );
  return { fields, out };
}

function expected({ fields = [], out }: Outcome): unknown {
  return {
    fields: fields.map((field) => field.map(join)),
    out: Object.fromEntries(Object.entries(out).map(([name, value]) => [name, join(value)])),
  };
}

const openTelemetry = new core.CompositePropagator({
  propagators: [new core.W3CTraceContextPropagator(), new core.W3CBaggagePropagator()],
});
const clew = new ClewPropagator({ service: "orders" });

for (const file of ["opentelemetry-baggage", "opentelemetry-trace-context"]) {
  const url = new URL(`../../../wire/vectors/${file}.json`, import.meta.url);
  for (const vector of (JSON.parse(readFileSync(url, "utf8")) as { cases: Vector[] }).cases) {
    test(`${file}: ${vector.title}`, () => {
      const ofOpenTelemetry = vector.both ?? vector.openTelemetry;
      const ofClew = vector.both ?? vector.clew;
      assert.ok(ofOpenTelemetry !== undefined && ofClew !== undefined);
      assert.equal(vector.differs === undefined, ofOpenTelemetry === ofClew, "a difference has its reason");
      assert.deepEqual(outcome(openTelemetry, carrierOf(vector)), expected(ofOpenTelemetry));
      assert.deepEqual(outcome(clew, carrierOf(vector)), expected(ofClew));
    });
  }
}
