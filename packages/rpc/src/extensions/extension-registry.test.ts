import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError } from "../rpc-error.ts";
import { createServer } from "../server/create-server.ts";
import { post, urnOf } from "../test/extension-fixtures.ts";
import { anything, listen, nothing } from "../test/fixtures.ts";
import { createDefaultExtensions } from "./default-extensions.ts";
import { createDeprecationExtension } from "./deprecation.ts";
import { defineExtension, type Extension } from "./extension.ts";

const version = "1.0.0";
const acme = "urn:acme:forrst:ext:audit";

/** Notes each of its steps. */
function noting(name: string, steps: string[], more: Partial<Extension<string>> = {}): Extension {
  return defineExtension<string>({
    urn: `urn:acme:forrst:ext:${name}`,
    isAlwaysOn: true,
    before() {
      steps.push(`${name} before`);
      return name;
    },
    async around(_invocation, next, state) {
      steps.push(`${state} in`);
      const outcome = await next();
      steps.push(`${state} out`);
      return outcome;
    },
    after: (_invocation, { ok }, state) => void steps.push(`${state} after ${ok}`),
    data: () => ({ name }),
    ...more,
  });
}

const orders = (extensions: readonly Extension[]): ReturnType<typeof createServer> =>
  createServer({ service: "a", onContextFault: () => {}, extensions })
    .function("orders.get", { version, arguments: nothing, result: anything, handler: () => "got" })
    .function("orders.fail", {
      version,
      arguments: nothing,
      result: anything,
      handler: () => {
        throw new RpcError("E_TEST", "no");
      },
    });

test("extensions run in the order of the list, the first outermost, and each that began ends", async () => {
  const steps: string[] = [];
  await using service = await listen(orders([noting("one", steps), noting("two", steps)]));
  await post(service.url, "orders.get", []);
  const order = ["one before", "two before", "one in", "two in", "two out", "one out"];
  assert.deepEqual(steps.splice(0), [...order, "one after true", "two after true"]);
  await post(service.url, "orders.fail", []);
  assert.deepEqual(steps.splice(0), [...order, "one after false", "two after false"]);
});

test("what an answer says of the extensions is asked when all of them have ended", async () => {
  const steps: string[] = [];
  const telling = (name: string): Extension => {
    const data = () => {
      steps.push(`${name} data`);
      return {};
    };
    return noting(name, steps, { data });
  };
  const extensions = [telling("one"), telling("two")];
  await using service = await listen(orders(extensions));
  const asked = extensions.map((extension) => ({ urn: extension.urn, options: {} }));
  await post(service.url, "orders.get", asked);
  assert.deepEqual(steps.slice(-4), ["one after true", "two after true", "one data", "two data"]);
});

test("what a `before` throws is the answer, and only those that began end", async () => {
  const steps: string[] = [];
  const refusing = noting("two", steps, {
    before() {
      throw new RpcError("E_TEST", "not today");
    },
  });
  await using service = await listen(orders([noting("one", steps), refusing, noting("three", steps)]));
  assert.deepEqual((await post(service.url, "orders.get", [])).codes, ["E_TEST"]);
  assert.deepEqual(steps, ["one before", "one after false"]);
});

test("an `around` may answer by itself, change the outcome, or fail, and a fault of it is an internal error", async () => {
  const answers: Partial<Extension<string>>[] = [
    { around: async () => ({ ok: true, result: "mine" }) },
    {
      around: async (_invocation, next) => {
        const outcome = await next();
        return outcome.ok ? { ok: true, result: [outcome.result] } : outcome;
      },
    },
    { around: () => Promise.reject(new Error("secret")) },
  ];
  const results: unknown[] = [];
  for (const more of answers) {
    await using service = await listen(orders([noting("one", [], more)]));
    const { result, codes } = await post(service.url, "orders.get", []);
    results.push(result ?? codes);
  }
  assert.deepEqual(results, ["mine", ["got"], ["INTERNAL_ERROR"]]);
});

test("an answer names only what the request asked for, by the URN it asked with (extensions/index, Response Format)", async () => {
  const audit = noting("audit", []);
  const quiet = defineExtension({ urn: "urn:acme:forrst:ext:quiet" });
  await using service = await listen(orders([noting("other", []), quiet, audit]));
  assert.equal((await post(service.url, "orders.get", [])).extensions, undefined);
  const urn = "URN:acme:forrst:ext:audit";
  const asked = [
    { urn, options: {} },
    { urn: quiet.urn, options: {} },
  ];
  assert.deepEqual((await post(service.url, "orders.get", asked)).extensions, [
    { urn, data: { name: "audit" } },
  ]);
});

test("unknown extensions are ignored, unless required: then all of them are named (extensions/index, Unsupported Extensions)", async () => {
  await using service = await listen(orders(createDefaultExtensions()));
  const unknown = (urn: string, required?: boolean) => ({ urn, options: {}, required });
  const ignored = await post(service.url, "orders.get", [unknown("urn:acme:forrst:ext:x")]);
  assert.deepEqual([ignored.status, ignored.result], [200, "got"]);
  const refused = await post(service.url, "orders.get", [
    unknown(acme),
    unknown("urn:acme:forrst:ext:x", true),
    unknown("urn:acme:forrst:ext:y", true),
  ]);
  assert.deepEqual([refused.status, refused.codes], [400, ["EXTENSION_NOT_SUPPORTED /extensions/1"]]);
  const { unsupported, supported } = refused.errors?.[0]?.details ?? {};
  assert.deepEqual(unsupported, ["urn:acme:forrst:ext:x", "urn:acme:forrst:ext:y"]);
  assert.ok(JSON.stringify(supported).includes("urn:cline:forrst:ext:tracing"));
});

test("every fault of every option is told with its place, and an extension given twice", async () => {
  await using service = await listen(orders(createDefaultExtensions()));
  const { status, codes } = await post(service.url, "orders.get", [
    { urn: urnOf("tracing"), options: { trace_id: 1, span_id: "", baggage: [] } },
    { urn: urnOf("deadline"), options: { value: -1, unit: "second" } },
    { urn: "urn:cline:forrst:ext:deadline", options: { value: 1, unit: "second" } },
  ]);
  assert.equal(status, 400);
  assert.deepEqual(codes, [
    "INVALID_REQUEST /extensions/0/options/trace_id",
    "INVALID_REQUEST /extensions/0/options/span_id",
    "INVALID_REQUEST /extensions/0/options/baggage",
    "INVALID_REQUEST /extensions/1/options/value",
    "INVALID_REQUEST /extensions/2/urn",
  ]);
});

test("a function may take only some extensions, or not take some (system-functions, Extension Support)", async () => {
  const common = { version, arguments: nothing, result: anything, handler: () => "got" };
  const server = createServer({ service: "a", onContextFault: () => {} })
    .function("a.only", { ...common, extensions: { supported: [urnOf("tracing")] } })
    .function("a.without", { ...common, extensions: { excluded: ["urn:cline:forrst:ext:deadline"] } });
  await using service = await listen(server);
  const deadline = { urn: urnOf("deadline"), options: { value: 1, unit: "second" } };
  const tracing = { urn: urnOf("tracing"), options: { trace_id: "t", span_id: "s" } };
  const refusal = ["EXTENSION_NOT_APPLICABLE /extensions/0"];
  assert.deepEqual((await post(service.url, "a.only", [deadline])).codes, refusal);
  assert.deepEqual((await post(service.url, "a.without", [deadline])).codes, refusal);
  assert.deepEqual((await post(service.url, "a.only", [tracing])).result, "got");
  assert.deepEqual((await post(service.url, "a.without", [tracing])).result, "got");
});

test("a server refuses a list that names an extension twice, or something that is none", () => {
  const make = (...urns: string[]) =>
    createServer({ service: "a", extensions: urns.map((urn) => defineExtension({ urn })) });
  assert.throws(() => make(acme, acme), { code: "E_RPC_OPTIONS" });
  assert.throws(() => make(urnOf("tracing"), "urn:cline:forrst:ext:tracing"), { code: "E_RPC_OPTIONS" });
  assert.throws(() => make("audit"), { code: "E_RPC_OPTIONS" });
});

test("deprecation warns whoever asks, until the warning is acknowledged (extensions/deprecation, Behavior)", async () => {
  const warning = {
    urn: "deprecation:orders.get:v1",
    function: "orders.get",
    version,
    type: "version",
    target: "orders.get@1.0.0",
    message: "Use version 2.",
    sunsetDate: "2027-06-01",
  } as const;
  await using service = await listen(orders([createDeprecationExtension([warning])]));
  const urn = urnOf("deprecation");
  const { urn: id, type, target, message } = warning;
  const told = await post(service.url, "orders.get", [{ urn, options: {} }]);
  assert.equal(told.result, "got");
  assert.deepEqual(told.data(urn), {
    warnings: [{ urn: id, type, target, message, sunset_date: "2027-06-01" }],
  });
  const known = await post(service.url, "orders.get", [{ urn, options: { acknowledge: [id] } }]);
  assert.deepEqual(known.data(urn), { warnings: [] });
  const other = await post(service.url, "orders.fail", [{ urn, options: {} }]);
  assert.deepEqual(other.data(urn), { warnings: [] });
  const bad = await post(service.url, "orders.get", [{ urn, options: { acknowledge: "all" } }]);
  assert.deepEqual(bad.codes, ["INVALID_REQUEST /extensions/0/options/acknowledge"]);
});
