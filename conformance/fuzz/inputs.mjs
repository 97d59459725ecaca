// @ts-check
// What the fuzzer sends: documents that are almost right, and right ones that were damaged byte by byte.
import fc from "fast-check";

const protocol = { name: "forrst", version: "0.1.0" };
const version = "1.0.0";

/** Requests that are served, to be damaged; none waits, fails on purpose or calls elsewhere. */
const wholeRequests = [
  { protocol, id: "a", call: { function: "echo.value", version, arguments: { value: [1, "ü", null] } } },
  {
    protocol,
    id: "b",
    call: {
      function: "orders.create",
      version,
      arguments: { customer_id: 1, items: [{ sku: "A", quantity: 2 }] },
    },
    context: { caller: "shop", tenant: { plan: "gold" }, "two words": 1.5e3 },
    extensions: [
      { urn: "urn:cline:forrst:ext:tracing", options: { trace_id: "t", span_id: "s", baggage: { a: "b" } } },
      { urn: "urn:cline:forrst:ext:deadline", options: { value: 30, unit: "second" } },
      { urn: "urn:acme:forrst:ext:audit", options: { actor: "ida" }, required: false },
    ],
  },
  {
    protocol: "forrst/0.1",
    id: "c",
    call: { function: "numbers.count", version, arguments: { to: 2 } },
    extensions: [{ urn: "urn:forrst:ext:stream", options: { accept: true } }],
  },
  { protocol, id: "d", call: { function: "orders.get", arguments: { id: "\u2028\ud83d\udeb2" } } },
  { protocol, id: "e", call: { function: "urn:cline:forrst:fn:capabilities" } },
].map((document) => Buffer.from(JSON.stringify(document)));

/** Pieces at which parsers stumble. */
const pieces = [
  ...'{}[]",:\\0-+.eE \n\t\0',
  "\\u0000",
  "\\ud800",
  "\\u",
  "1e999",
  "-0",
  "9007199254740993",
  "null",
  "true",
  "//",
  "__proto__",
  "constructor",
  '"id":',
  "urn:",
  "forrst/0.1",
  "\ufeff",
].map((text) => Buffer.from(text));

const anyJson = fc.jsonValue({ maxDepth: 3 });
/** @template T @param {fc.Arbitrary<T>} usual @param {fc.Arbitrary<unknown>} odd */
const mostly = (usual, odd) => fc.oneof({ arbitrary: usual, weight: 20 }, { arbitrary: odd, weight: 1 });
/** Members that are always there, so that documents get past the first checks. */
const expected = new Set(["protocol", "id", "call", "function", "urn", "options"]);
/** Members of which each may be anything, or, when less is expected of it, missing. */
const object = (/** @type {Record<string, fc.Arbitrary<unknown>>} */ members) =>
  fc.record(
    Object.fromEntries(Object.entries(members).map(([name, usual]) => [name, mostly(usual, anyJson)])),
    { requiredKeys: Object.keys(members).filter((name) => expected.has(name)) },
  );

const names = mostly(
  fc.constantFrom("echo.value", "echo.context", "orders.get", "a.b", "urn:acme:forrst:fn:orders:list"),
  fc.constantFrom("", "urn:", "..", "__proto__.x", "constructor", "forrst.x", `a.${"b".repeat(300)}`),
);
const versions = mostly(
  fc.constantFrom("1.0.0", "1.0.0", "2.0.0", "11.0.0-beta.1"),
  fc.constantFrom("1", "99999999999.0.0", "", "1.0.0-", "1.0.0+b", `1.0.0-${"a.".repeat(50)}a`),
);
const anyText = fc.string({ unit: "binary" });
const durations = fc.record({
  value: fc.oneof(fc.integer(), fc.double(), anyText),
  unit: fc.constantFrom("second", "iso8601"),
});
const extensions = fc.oneof(
  object({
    urn: fc.constant("urn:cline:forrst:ext:deadline"),
    options: fc.oneof(durations, object({ value: anyJson })),
  }),
  object({
    urn: fc.constant("urn:cline:forrst:ext:tracing"),
    options: object({ trace_id: anyText, span_id: anyText, baggage: anyJson }),
  }),
  object({ urn: fc.constant("urn:cline:forrst:ext:cancellation"), options: object({ token: anyText }) }),
  object({ urn: fc.constant("urn:forrst:ext:stream"), options: object({ accept: fc.boolean() }) }),
  object({
    urn: fc.constantFrom("urn:a:b", "urn:a1:b"),
    options: fc.dictionary(anyText, anyJson),
    required: anyJson,
  }),
);

/** A document whose members are mostly of the right kind. */
const documents = object({
  protocol: mostly(fc.constantFrom(protocol, "forrst/0.1"), object({ name: anyText, version: versions })),
  id: mostly(anyText, fc.constant("")),
  call: object({
    function: names,
    version: versions,
    arguments: fc.dictionary(fc.constantFrom("value", "id", "__proto__", "x"), anyJson),
  }),
  context: fc.record({ caller: mostly(anyText, anyJson), field: anyJson }, { requiredKeys: [] }),
  extensions: fc.array(mostly(extensions, anyJson), { maxLength: 3 }),
}).map((document) => Buffer.from(JSON.stringify(document)));

/** One damage: where (in thousandths of the length), how, and with what. */
const damages = fc.record({
  at: fc.nat(999),
  kind: fc.constantFrom("replace", "insert", "remove", "repeat", "flip"),
  piece: fc.constantFrom(...pieces),
  length: fc.oneof({ arbitrary: fc.nat(16), weight: 20 }, { arbitrary: fc.nat(3_000), weight: 1 }),
});

/** @typedef {{ at: number, kind: string, piece: Buffer, length: number }} Damage */

/** @param {Buffer} bytes @param {Damage} damage */
function damaged(bytes, { at, kind, piece, length }) {
  const from = Math.floor((bytes.length * at) / 1_000);
  const before = bytes.subarray(0, from);
  const after = bytes.subarray(from);
  switch (kind) {
    case "replace":
      return Buffer.concat([before, piece, after.subarray(piece.length)]);
    case "insert":
      return Buffer.concat([before, piece, after]);
    case "remove":
      return Buffer.concat([before, after.subarray(length)]);
    case "repeat":
      return Buffer.concat([before, ...Array(length).fill(piece), after]);
    default: {
      const flipped = Buffer.from(bytes);
      if (from < flipped.length) flipped[from] = (flipped[from] ?? 0) ^ (1 << (length % 8));
      return flipped;
    }
  }
}

const damagedRequests = fc
  .tuple(fc.constantFrom(...wholeRequests), fc.array(damages, { minLength: 1, maxLength: 3 }))
  .map(([whole, list]) => list.reduce(damaged, whole));

const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const inputs = fc.oneof(
  { arbitrary: damagedRequests, weight: 5 },
  { arbitrary: documents, weight: 4 },
  { arbitrary: anyBytes, weight: 1 },
);

/** So many inputs, always the same for one seed. @param {number} seed @param {number} count */
export function sampleInputs(seed, count) {
  return fc.sample(inputs, { seed, numRuns: count });
}
