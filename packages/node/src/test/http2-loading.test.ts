// node:http2 and @grpc/grpc-js are changed when an application comes to use them, however it does, and whenever.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startProcess } from "@clew/testing";
import { preload } from "./start-service.ts";

/** Runs an application to its end and returns what it wrote; fails when it does not end by itself. */
async function run(app: string, load: readonly string[]): Promise<string> {
  const main = fileURLToPath(new URL(`apps/${app}`, import.meta.url));
  const child = await startProcess(process.execPath, [...load, main], { env: { CLEW_SERVICE: "self" } });
  const { code, signal } = await child.exited;
  assert.deepEqual([code, signal], [0, null], child.stderr);
  return child.stdout;
}

for (const [how, load] of Object.entries(preload)) {
  test(`--${how}: node:http2 imported by name, or taken off the module, carries contexts, and the process ends by itself`, async () => {
    assert.equal(await run("http2-self.js", load), "a from self, b from self\n");
    assert.equal(await run("http2-self.cjs", load), "tenant_id=a from self, tenant_id=b from self\n");
  });

  test(`--${how}: @grpc/grpc-js imported or required carries contexts, and the process ends by itself`, async () => {
    assert.equal(await run("grpc-self.js", load), "a from self, b from self\n");
    assert.equal(await run("grpc-self.cjs", load), "a from self, b from self\n");
  });
}

test("registered when node:http2 is in use: sessions and servers that are open carry contexts, until it is disabled", async () => {
  const nothing = "undefined from undefined";
  assert.equal(await run("http2-late.js", []), `${nothing}, a from late, ${nothing}\n`);
});

test("registered when @grpc/grpc-js is in use: clients that are open carry contexts, until it is disabled, and again", async () => {
  assert.equal(
    await run("grpc-late.js", []),
    "undefined from , a from late, undefined from , a from again\n",
  );
});
