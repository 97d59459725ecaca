import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { pino } from "pino";
import * as v from "valibot";
import { context } from "./ambient.ts";
import { emptyContext } from "./context.ts";
import { defineFields } from "./define-fields.ts";
import { extractContext } from "./extract.ts";

defineFields(
  { "log.tenant": v.string(), "log.user": v.string(), "log.flags": v.unknown(), "log.secret": v.string() },
  { log: ["log.tenant", "log.user", "log.flags"], pii: ["log.user"] },
);

const received = extractContext(
  (name) =>
    ({
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "x-forrst-caller": "storefront",
    })[name],
).with({ "log.tenant": "acme", "log.user": "jane@example.com", "log.secret": "s", "log.flags": ["a", 1] });

test("one line gives pino the fields of the request that is being worked on, the personal ones redacted", () => {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  const log = pino({ base: null, timestamp: false, mixin: () => context.log() }, destination);
  context.run(received, () => {
    log.info({ orderId: 7 }, "stored");
    log.info("again");
  });
  log.info("outside");
  const request = {
    level: 30,
    caller: "storefront",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    "log.tenant": "acme",
    "log.user": "[redacted]",
    "log.flags": ["a", 1],
  };
  assert.deepEqual(lines, [
    { ...request, orderId: 7, msg: "stored" },
    { ...request, msg: "again" },
    { level: 30, msg: "outside" },
  ]);
});

test("OpenTelemetry gets flat attributes: primitives, lists of one kind, JSON text for the rest", () => {
  const attributes = (flags: unknown) =>
    context.run(received.with({ "log.flags": flags as string }), () => context.attributes());
  assert.deepEqual(attributes(["a", 1]), {
    "clew.caller": "storefront",
    "log.tenant": "acme",
    "log.user": "[redacted]",
    "log.flags": '["a",1]',
  });
  assert.deepEqual(attributes(["a", "b"])["log.flags"], ["a", "b"]);
  assert.deepEqual(attributes({ a: [1] })["log.flags"], '{"a":[1]}');
  assert.equal("log.flags" in attributes(null), false);
  assert.deepEqual(attributes(true)["log.flags"], true);
  assert.deepEqual(
    context.run(emptyContext, () => context.attributes()),
    {},
  );
});
