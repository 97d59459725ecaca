import assert from "node:assert/strict";
import { validateHeaderValue } from "node:http";
import { test } from "node:test";
import fc from "fast-check";
import { parseRefusal, serializeRefusal, statusOf, TunnelError } from "./tunnel-error.ts";

test("a refusal with any text survives the way through a header line", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
      fc.boolean(),
      (message, hint, retryable) => {
        const line = serializeRefusal(new TunnelError("E_TUNNEL_NO_SESSION", message, { hint, retryable }));
        validateHeaderValue("clew-error", line);
        const read = parseRefusal(line);
        assert.deepEqual(
          [read?.code, read?.message, read?.hint, read?.retryable],
          ["E_TUNNEL_NO_SESSION", message, hint, retryable],
        );
      },
    ),
  );
});

test("what is no refusal is never taken for one, and never throws", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.equal(parseRefusal(text), undefined);
    }),
  );
  for (const text of [
    "null",
    "[]",
    '{"code":"E_X"}',
    '{"code":"x","message":""}',
    '{"code":7,"message":""}',
  ]) {
    assert.equal(parseRefusal(text), undefined);
  }
});

test("a code of a newer version is handed on with a status of its own kind", () => {
  assert.equal(statusOf(new TunnelError("E_TUNNEL_OF_TOMORROW", "?")), 502);
  assert.equal(statusOf(new TunnelError("toString", "?")), 502);
});
