import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../client/create-client.ts";
import { defineFunction } from "../contract.ts";
import { RpcError, type RpcErrorOptions } from "../rpc-error.ts";
import { createServer } from "../server/create-server.ts";
import { post, urnOf } from "../test/extension-fixtures.ts";
import { anything, type Listening, listen, nothing } from "../test/fixtures.ts";
import { createDefaultExtensions } from "./default-extensions.ts";
import { createRetryExtension } from "./retry.ts";

const urn = "urn:cline:forrst:ext:retry";
const asked = [{ urn: urnOf("retry"), options: {} }];
const fail = defineFunction({
  name: "a.fail",
  version: "1.0.0",
  arguments: nothing,
  result: anything,
  idempotent: true,
});

async function serve(next: () => unknown): Promise<Listening> {
  const extensions = [...createDefaultExtensions(), createRetryExtension()];
  return await listen(
    createServer({ service: "a", onContextFault: () => {}, extensions }).implement(fail, next),
  );
}

const failing = (code: string, options?: RpcErrorOptions) => () => {
  throw new RpcError(code, "no", options);
};

test("a failure that may pass says unasked when to try again (extensions/retry, Automatic Retry Guidance)", async () => {
  const table: [string, object][] = [
    ["RATE_LIMITED", { strategy: "fixed", after: { value: 60, unit: "second" }, max_attempts: 3 }],
    ["UNAVAILABLE", { strategy: "exponential", after: { value: 1, unit: "second" }, max_attempts: 5 }],
    ["DEADLINE_EXCEEDED", { strategy: "immediate", max_attempts: 1 }],
    ["DEPENDENCY_ERROR", { strategy: "exponential", after: { value: 2, unit: "second" }, max_attempts: 3 }],
    ["FUNCTION_DISABLED", { strategy: "fixed", after: { value: 30, unit: "second" }, max_attempts: 2 }],
  ];
  for (const [code, guidance] of table) {
    await using service = await serve(failing(code));
    const { data } = await post(service.url, "a.fail", []);
    assert.deepEqual(data(urn), { allowed: true, ...guidance });
  }
});

test("what the error says goes before the table, in whole seconds", async () => {
  await using service = await serve(failing("DEADLINE_EXCEEDED", { retryAfterMs: 4_200 }));
  const { data } = await post(service.url, "a.fail", []);
  assert.deepEqual(data(urn), {
    allowed: true,
    strategy: "fixed",
    after: { value: 5, unit: "second" },
    max_attempts: 1,
  });
});

test("what will not pass is told only to whoever asks, and success says nothing (Non-Retryable Errors)", async () => {
  await using service = await serve(failing("NOT_FOUND"));
  assert.equal((await post(service.url, "a.fail", [])).extensions, undefined);
  assert.deepEqual((await post(service.url, "a.fail", asked)).data(urnOf("retry")), { allowed: false });
  await using working = await serve(() => "done");
  assert.equal((await post(working.url, "a.fail", asked)).extensions, undefined);
});

test("a refusal before the function was found says it as well", async () => {
  await using service = await serve(() => "done");
  assert.deepEqual((await post(service.url, "a.unknown", asked)).data(urnOf("retry")), { allowed: false });
});

test("a client believes the server rather than the table, and waits as it is told", async () => {
  let calls = 0;
  await using service = await serve(() => {
    calls++;
    throw new RpcError("E_OWN", "busy", { retryable: true, retryAfterMs: 60_000 });
  });
  const client = createClient({ url: service.url, service: "tests", timeoutMs: 2_000 });
  await assert.rejects(client.call(fail, {}), { code: "E_OWN", retryable: true, retryAfterMs: 60_000 });
  client.close();
  assert.equal(calls, 1);
});
