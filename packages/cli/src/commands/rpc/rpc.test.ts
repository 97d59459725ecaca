import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { context } from "@clew/context";
import { createCaller, createClient, createServer, type ForrstServer, listen } from "@clew/rpc";
import { startProcess, temporaryDirectory } from "@clew/testing";
import { type DescribedFunction, fetchDescription } from "./description.ts";
import { createMock } from "./mock.ts";
import { writeTypes } from "./types.ts";

const main = fileURLToPath(new URL("../../main.js", import.meta.url));

function createOrders(): ForrstServer {
  const server = createServer({ service: "orders", version: "2.3.0", onContextFault: () => {} });
  return server.function("orders.get", {
    version: "1.0.0",
    arguments: {
      type: "object",
      properties: { id: { type: "integer" }, note: { type: "string" } },
      required: ["id"],
    },
    result: {
      type: "object",
      properties: { id: { type: "integer" }, tenant: {}, state: { enum: ["new", "paid"] } },
      required: ["id", "state"],
    },
    docs: {
      summary: "One order",
      examples: [{ name: "first", arguments: { id: 1 }, result: { id: 1, state: "paid" } }],
    },
    handler: ({ id }) => ({ id, tenant: context.get("tenant_id"), state: "new" as const }),
  });
}

/** Runs the command to its end. */
async function clew(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using child = await startProcess(process.execPath, [main, "rpc", ...args]);
  const { code } = await child.exited;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

test("describe lists functions and tells all about one", async () => {
  await using orders = await listen(createOrders());
  const list = await clew("describe", orders.url);
  assert.match(list.stdout, /^orders 2\.3\.0\n {2}orders\.get@1\.0\.0 {2}\(id, note\?\) {2}One order\n$/);
  const one = await clew("describe", orders.url, "orders.get", "--json");
  assert.equal((JSON.parse(one.stdout) as { function: string }).function, "orders.get");
});

test("call sends arguments and context, whatever their type, and says what is wrong", async () => {
  await using directory = await temporaryDirectory();
  await using orders = await listen(createOrders(), { path: join(directory.path, "orders.sock") });
  const done = await clew(
    "call",
    orders.url,
    "orders.get",
    "--arg",
    "id=42",
    "--context",
    "tenant_id=acme",
    "--json",
  );
  assert.deepEqual(JSON.parse(done.stdout), { id: 42, tenant: "acme", state: "new" });
  const wrong = await clew("call", orders.url, "orders.get", "--arg", "id=many");
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.match(wrong.stderr, /integer/);
  const unknown = await clew("call", orders.url, "orders.put");
  assert.deepEqual([unknown.code, unknown.stderr.includes("orders.get@1.0.0")], [64, true]);
  assert.equal((await clew("call", orders.url, "orders.get", "--arg", "id")).code, 64);
  assert.equal((await clew("describe", "http://127.0.0.1:1/forrst")).code, 69);
});

test("types compile, and know each function's arguments and result", async () => {
  const directory = await mkdtemp(fileURLToPath(new URL("./types-", import.meta.url)));
  try {
    await using orders = await listen(createOrders());
    const { stdout } = await clew("types", orders.url);
    await writeFile(join(directory, "orders.d.ts"), stdout);
    await writeFile(
      join(directory, "use.ts"),
      `import { createCaller, createClient } from "@clew/rpc";
import type { Functions, OrdersCaller } from "./orders.js";
const caller: OrdersCaller = createCaller<Functions>(createClient({ url: "http://x", service: "y" }));
const { state }: { state: "new" | "paid" } = await caller.call("orders.get@1.0.0", { id: 1 });
// @ts-expect-error id is a number
await caller.call("orders.get@1.0.0", { id: state });
// @ts-expect-error there is no such function
await caller.call("orders.get@2.0.0", { id: 1 });
`,
    );
    const tsc = fileURLToPath(new URL("../../../../../node_modules/typescript/bin/tsc", import.meta.url));
    const options =
      "--ignoreConfig --noEmit --strict --module nodenext --target es2023 --skipLibCheck --types node".split(
        " ",
      );
    const compiled = spawnSync(process.execPath, [tsc, ...options, join(directory, "use.ts")], {
      encoding: "utf8",
    });
    assert.equal(compiled.stdout, "");
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("texts of a service's cannot break out of the types that are written", () => {
  const text = writeTypes({
    info: { title: "a\nimport evil", version: "1" },
    functions: [{ name: "a.b", version: "1.0.0", summary: "*/ evil /*" }],
  });
  assert.equal(/^import evil|^\s*evil/m.test(text), false);
  assert.ok(text.includes("* / evil"));
});

test("a mock validates as the service would, and answers with its examples or what the schema allows", async () => {
  await using orders = await listen(createOrders());
  const client = createClient({ url: orders.url, service: "tests" });
  const description = await fetchDescription(client);
  client.close();
  await using mock = await listen(createMock(description));
  const mocked = createClient({ url: mock.url, service: "tests" });
  const caller = createCaller<Record<string, { arguments: object; result: unknown }>>(mocked);
  assert.deepEqual(await caller.call("orders.get@1.0.0", { id: 1 }), { id: 1, state: "paid" });
  await assert.rejects(caller.call("orders.get@1.0.0", {}), { code: "INVALID_ARGUMENTS" });
  mocked.close();
  const [{ examples: _, ...plain }] = description.functions as [DescribedFunction];
  await using sampled = await listen(createMock({ ...description, functions: [plain] }));
  const other = createClient({ url: sampled.url, service: "tests" });
  const made = createCaller<Record<string, { arguments: object; result: unknown }>>(other);
  assert.deepEqual(await made.call("orders.get@1.0.0", { id: 1 }), { id: 0, state: "new" });
  other.close();
});

test("mock serves a file until it is interrupted", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "orders.json");
  await using orders = await listen(createOrders());
  await writeFile(file, (await clew("describe", orders.url, "--json")).stdout);
  await using mock = await startProcess(process.execPath, [main, "rpc", "mock", file, "--json"]);
  const { url } = JSON.parse(await mock.waitForLine(/url/)) as { url: string };
  assert.match((await clew("call", url, "orders.get", "--arg", "id=1")).stdout, /"state": "paid"/);
  mock.signal("SIGTERM");
  assert.deepEqual(await mock.exited, { code: 0, signal: null });
});
