import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultEnvelopeLimits as limits } from "./limits.ts";
import { parseRequest } from "./parse-request.ts";
import { writeRequest } from "./write.ts";

const request = {
  id: "a",
  function: "orders.get",
  version: "1.0.0",
  arguments: { id: [1, "ü", null] },
  context: { caller: "shop", tenant: "x" },
  extensions: [{ urn: "urn:cline:forrst:ext:stream", options: { accept: true }, required: true }],
};

test("what is written reads back the same", () => {
  assert.deepEqual(parseRequest(Buffer.from(writeRequest(request)), limits), {
    ok: true,
    request: { ...request, exactContext: undefined, metadata: undefined },
  });
});

test("any bytes are answered with a code, and never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const parsed = parseRequest(Buffer.from(bytes), limits);
      assert.ok(!parsed.ok && /^[A-Z_]+$/.test(parsed.errors[0].code));
    }),
    { numRuns: 1_000 },
  );
});

test("a damaged request is answered with a code or is still a request, and never throws", () => {
  const whole = Buffer.from(writeRequest(request));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }), (damage) => {
      const bytes = Buffer.from(whole);
      for (const [at, byte] of damage) bytes[at] = byte;
      const parsed = parseRequest(bytes, limits);
      assert.ok(parsed.ok ? parsed.request.id !== "" : parsed.errors.length > 0);
    }),
    { numRuns: 1_000 },
  );
});

test("any JSON in the place of any member is answered with a code or is a request, and never throws", () => {
  const members = fc.dictionary(
    fc.constantFrom("protocol", "id", "call", "context", "extensions", "__proto__"),
    fc.oneof(
      fc.jsonValue(),
      fc.constant({ name: "forrst", version: "0.1.0" }),
      fc.constant({ function: "a.b" }),
    ),
  );
  fc.assert(
    fc.property(members, (document) => {
      const parsed = parseRequest(Buffer.from(JSON.stringify(document)), limits);
      assert.ok(parsed.ok || parsed.errors.every(({ code, source }) => code !== "" && source !== undefined));
    }),
    { numRuns: 1_000 },
  );
});

test("nesting is counted outside of strings only, and refused where it goes too deep", () => {
  const nested = (depth: number): Buffer => {
    const call = { function: "a.b", arguments: { text: '[[[[\\"{{' } };
    const inner = `${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}`;
    return Buffer.from(`{"x":${inner},"protocol":"forrst/0.1","id":"a","call":${JSON.stringify(call)}}`);
  };
  assert.equal(parseRequest(nested(64), limits).ok, true);
  const refused = parseRequest(nested(65), limits);
  assert.ok(!refused.ok);
  assert.deepEqual([refused.errors[0].code, refused.errors[0].source], ["INVALID_REQUEST", { position: 68 }]);
});

test("no more errors than the limit are made for one request", () => {
  const body = Buffer.from(JSON.stringify({ extensions: Array.from({ length: 1_000 }, () => 1) }));
  const parsed = parseRequest(body, limits);
  assert.ok(!parsed.ok);
  assert.equal(parsed.errors.length, limits.maxErrors);
});
