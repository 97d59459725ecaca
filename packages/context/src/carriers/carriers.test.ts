import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Context, emptyContext } from "../context.ts";
import { extractContext } from "../extract.ts";
import { injectContext } from "../inject.ts";
import { type GrpcMetadata, grpcCarrier, httpCarrier } from "./call-carriers.ts";
import { type Carrier, carrierLimits } from "./carrier.ts";
import { forrstCarrier } from "./forrst-carrier.ts";
import {
  amqpCarrier,
  kafkaCarrier,
  type NatsHeaders,
  natsCarrier,
  redisCarrier,
} from "./message-carriers.ts";

/** Not among this package's dependencies, and not to be: the carrier is made by shape. */
const grpcLibrary = "@grpc/grpc-js";
const { Metadata } = (await import(grpcLibrary)) as { Metadata: new () => GrpcMetadata };

/** As the NATS clients do it: names count in their case, several values each. */
class NatsMessageHeaders implements NatsHeaders {
  readonly #values = new Map<string, string[]>();
  keys = (): string[] => [...this.#values.keys()];
  values = (key: string): string[] => this.#values.get(key) ?? [];
  set = (key: string, value: string): void => void this.#values.set(key, [value]);
  delete = (key: string): void => void this.#values.delete(key);
  append(key: string, value: string): void {
    this.#values.set(key, [...this.values(key), value]);
  }
}

const fresh: Readonly<Record<string, () => Carrier>> = {
  "fetch headers": () => httpCarrier(new Headers()),
  "headers as an object": () => httpCarrier({}),
  "gRPC metadata": () => grpcCarrier(new Metadata()),
  "AMQP properties without headers": () => amqpCarrier({}),
  "Kafka headers": () => kafkaCarrier({}),
  "NATS headers": () => natsCarrier(new NatsMessageHeaders()),
  "Redis stream fields as a list": () => redisCarrier(["amount", "42"]),
  "Redis stream fields as an object": () => redisCarrier({ amount: "42" }),
  "a message with a Forrst request": () => forrstCarrier(kafkaCarrier({})),
};

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const service = "orders";
const partsOf = (context: Context) => [
  context.baggage,
  context.traceparent,
  context.tracestate,
  context.caller,
];

for (const [title, create] of Object.entries(fresh)) {
  test(`${title}: a context arrives as it left, its values typed, and names its sender`, () => {
    const fields = fc.dictionary(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), fc.jsonValue(), {
      maxKeys: 5,
    });
    fc.assert(
      fc.property(fields, (record) => {
        const { caller: _, ...custom } = JSON.parse(JSON.stringify(record));
        const trace = extractContext((name) => ({ traceparent, tracestate: "a=1,b=2" })[name]);
        const carrier = create();
        const sent = trace.with(custom);
        injectContext(sent, carrier, { service });
        assert.deepEqual(partsOf(extractContext(carrier)), [sent.baggage, traceparent, "a=1,b=2", service]);
      }),
      { numRuns: 50 },
    );
  });

  test(`${title}: nothing of an older context stays beside a new one`, () => {
    const carrier = create();
    for (const name of ["baggage", "traceparent", "tracestate"]) carrier.set(name, "old");
    injectContext(emptyContext, carrier, { service });
    assert.deepEqual(partsOf(extractContext(carrier)), ["", undefined, undefined, service]);
    for (const name of ["baggage", "traceparent", "tracestate"]) assert.equal(carrier.get(name), undefined);
  });
}

test("what is written stands where the client libraries look for it, the application's own values beside it", () => {
  const context = emptyContext.with({ tenant_id: "acme" });
  const properties: { headers?: Record<string, unknown> } = {};
  const entry: string[] = ["amount", "42"];
  injectContext(context, amqpCarrier(properties), { service });
  injectContext(context, redisCarrier(entry), { service });
  assert.deepEqual(properties, { headers: { baggage: "tenant_id=acme", "x-forrst-caller": service } });
  assert.deepEqual(entry, ["amount", "42", "baggage", "tenant_id=acme", "x-forrst-caller", service]);
});

test("values may be bytes or lists, names in any case; what is no text is absent", () => {
  const bytes = Buffer.from("tenant_id=acme");
  const nats = new NatsMessageHeaders();
  nats.append("Baggage", "tenant_id=acme");
  nats.append("Baggage", "b=2");
  const carriers = [
    kafkaCarrier({ Baggage: [bytes, "b=2"], baggage2: "x=1" }),
    amqpCarrier({ headers: { BAGGAGE: "tenant_id=acme,b=2", traceparent: 7, tracestate: { "!": "date" } } }),
    natsCarrier(nats),
    redisCarrier([Buffer.from("baggage"), Buffer.from("tenant_id=acme,b=2"), "unpaired"]),
    httpCarrier(new Headers([["Baggage", "tenant_id=acme,b=2"]])),
  ];
  for (const carrier of carriers) {
    const context = extractContext(carrier);
    assert.deepEqual([context.get("tenant_id"), context.get("b"), context.size], ["acme", "2", 2]);
    assert.equal(context.traceparent, undefined);
  }
});

test("a context with another case of the name is replaced, not joined", () => {
  const headers = { Baggage: "tenant_id=other" };
  const nats = new NatsMessageHeaders();
  nats.set("Baggage", "tenant_id=other");
  const list = ["BAGGAGE", "tenant_id=other", "amount", "42"];
  const context = emptyContext.with({ tenant_id: "acme" });
  for (const carrier of [kafkaCarrier(headers), natsCarrier(nats), redisCarrier(list)]) {
    injectContext(context, carrier, { service });
    assert.equal(extractContext(carrier).get("tenant_id"), "acme");
  }
  assert.deepEqual(Object.keys(headers), ["baggage", "x-forrst-caller"]);
  assert.deepEqual(nats.keys(), ["baggage", "x-forrst-caller"]);
  assert.equal(list.length, 6);
});

test("a gRPC call takes a context whose header holds a tab, which gRPC itself refuses", () => {
  const metadata = new Metadata();
  assert.throws(() => metadata.set("baggage", "a=1\t"));
  const context = extractContext((name) => (name === "baggage" ? "a=1\t,\tb=2" : undefined));
  injectContext(context, grpcCarrier(metadata), { service });
  assert.deepEqual(metadata.get("baggage"), ["a=1 , b=2"]);
});

test("a message with a Forrst request carries Forrst's names too, and they count where the usual ones are absent", () => {
  const headers: Record<string, unknown> = {};
  const trace = extractContext((name) => (name === "traceparent" ? traceparent : undefined));
  injectContext(trace, forrstCarrier(kafkaCarrier(headers)), { service });
  assert.deepEqual(headers, {
    traceparent,
    trace_id: traceparent.slice(3, 35),
    span_id: traceparent.slice(36, 52),
    "x-forrst-caller": service,
    caller: service,
  });
  const { traceparent: _, "x-forrst-caller": __, ...own } = headers;
  const received = extractContext(forrstCarrier(kafkaCarrier(own)));
  assert.deepEqual([received.traceparent, received.caller], [traceparent.replace(/01$/, "00"), service]);
  const foreign = extractContext(forrstCarrier(kafkaCarrier({ trace_id: "tr_abc", span_id: "sp_1" })));
  assert.equal(foreign, emptyContext);
  assert.equal(extractContext(kafkaCarrier(own)), emptyContext, "a message without Forrst has no such names");
});

test("megabytes in a broker's message are not decoded past the limit", () => {
  const faults: string[] = [];
  const onFault = (fault: string): number => faults.push(fault);
  const huge = Buffer.alloc(10_000_000, "a=1,");
  const carrier = kafkaCarrier({ baggage: Array.from({ length: 1000 }, () => huge) });
  const lines = carrier.get("baggage");
  assert.equal(lines?.length, carrierLimits.maxValues);
  assert.equal(lines?.[0]?.length, carrierLimits.maxValueBytes);
  assert.equal(extractContext(carrier, { onFault }).size, 1);
  assert.deepEqual(faults, ["limited"]);
});
