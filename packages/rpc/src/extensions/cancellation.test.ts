import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer } from "../server/create-server.ts";
import { type Posted, post, urnOf } from "../test/extension-fixtures.ts";
import { anything, deferred, type Listening, listen, nothing } from "../test/fixtures.ts";
import { createCancellationExtension } from "./cancellation.ts";

const urn = urnOf("cancellation");
const cancelFunction = "urn:cline:forrst:ext:cancellation:fn:cancel";
const never = new Promise<never>(() => {});

async function serve(begun: () => void, signals: AbortSignal[] = []): Promise<Listening> {
  const extensions = [createCancellationExtension({ maxTokens: 2 })];
  const common = { version: "1.0.0", arguments: nothing, result: anything };
  const server = createServer({ service: "a", onContextFault: () => {}, extensions, drainMs: 0 });
  server.function("a.wait", {
    ...common,
    handler: (_args, { signal }) => {
      signals.push(signal);
      begun();
      return never;
    },
  });
  return await listen(server.function("a.quick", { ...common, handler: () => "done" }));
}

const withToken = (token: unknown) => [{ urn, options: { token: token as string } }];
const cancel = (url: string, token: unknown): Promise<Posted> =>
  post(url, cancelFunction, [], { args: { token: token as string } });

test("a call is ended by its token, also when the handler ignores its signal (Cancellation Flow)", async () => {
  const begun = deferred();
  const signals: AbortSignal[] = [];
  await using service = await serve(begun.resolve, signals);
  const waiting = post(service.url, "a.wait", withToken("t"));
  await begun.promise;
  assert.deepEqual((await cancel(service.url, "t")).result, { cancelled: true, token: "t" });
  const { codes, errors, extensions } = await waiting;
  assert.deepEqual(codes, ["CANCELLED"]);
  assert.deepEqual([errors?.[0]?.details, extensions], [{ token: "t" }, undefined]);
  assert.equal(signals[0]?.aborted, true);
});

test("a token of an ended call is too late, others are unknown (Too Late to Cancel, Token Not Found)", async () => {
  await using service = await serve(() => {});
  assert.equal((await post(service.url, "a.quick", withToken("t"))).result, "done");
  const late = await cancel(service.url, "t");
  assert.deepEqual([late.codes, late.errors?.[0]?.details], [["CANCELLATION_TOO_LATE"], { token: "t" }]);
  assert.deepEqual((await cancel(service.url, "other")).codes, ["CANCELLATION_TOKEN_UNKNOWN"]);
});

test("tokens that are none are refused, in the call and in its cancellation", async () => {
  await using service = await serve(() => {});
  for (const token of ["", 1, null, "x".repeat(257)]) {
    const { codes } = await post(service.url, "a.quick", withToken(token));
    assert.deepEqual(codes, ["INVALID_REQUEST /extensions/0/options/token"]);
    assert.deepEqual((await cancel(service.url, token)).codes, ["INVALID_ARGUMENTS /call/arguments/token"]);
  }
});

test("a token in use cannot be taken by another call, and there are no more than the limit", async () => {
  let waiting = 0;
  const both = deferred();
  await using service = await serve(() => {
    waiting++;
    if (waiting === 2) both.resolve();
  });
  const calls = [post(service.url, "a.wait", withToken("1")), post(service.url, "a.wait", withToken("2"))];
  await both.promise;
  assert.deepEqual((await post(service.url, "a.quick", withToken("1"))).codes, ["CONFLICT /extensions"]);
  assert.deepEqual((await post(service.url, "a.quick", withToken("3"))).codes, ["UNAVAILABLE"]);
  for (const token of ["1", "2"]) await cancel(service.url, token);
  await Promise.all(calls);
  assert.equal((await post(service.url, "a.quick", withToken("1"))).result, "done");
});
