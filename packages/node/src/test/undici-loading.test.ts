// undici from npm, loaded after propagation, in every way that an application may load it.
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startUpstream, temporaryDirectory } from "@clew/testing";
import { runScript } from "./run-script.ts";

const installed = fileURLToPath(new URL("../../../../node_modules/undici", import.meta.url));
const contextPackage = import.meta.resolve("@clew/context");

/** Answers with the tenant that reached it. */
const startTenantEcho = () =>
  startUpstream({ handle: (req, res) => res.end(`${req.headersDistinct["baggage"]?.join(" and ")}`) });

/** Sends 20 requests at once, each of a tenant of its own, through one connection, and prints how many arrived as sent. */
const send = `
  const { context } = await import(${JSON.stringify(contextPackage)});
  async function arrived(undici) {
    const client = new undici.Client(process.env.TARGET);
    const tenants = Array.from({ length: 20 }, (_, id) => "t" + id);
    const reached = await Promise.all(tenants.map((tenant_id) => context.with({ tenant_id }, async () =>
      (await client.request({ path: "/", method: "GET" })).body.text())));
    client.destroy();
    return reached.filter((text, id) => text === "tenant_id=" + tenants[id]).length;
  }`;

for (const [name, type, load] of [
  [
    "import of names in an ES module",
    "module",
    `const { Client } = await import("undici"); const undici = { Client };`,
  ],
  ["require in CommonJS", "commonjs", `const undici = require("undici");`],
  ["import in CommonJS", "commonjs", `const { default: undici } = await import("undici");`],
] as const) {
  test(`loaded by ${name}: each request carries its own context`, async () => {
    await using upstream = await startTenantEcho();
    const script = `(async () => { ${load} ${send} console.log(await arrived(undici)); })();`;
    const child = await runScript(script, { type, env: { TARGET: upstream.url } });
    assert.deepEqual([child.stdout, child.stderr], ["20\n", ""]);
  });
}

test("several copies, one under another name, and the global dispatcher of one used by Node's fetch and the other", async () => {
  await using directory = await temporaryDirectory();
  await using upstream = await startTenantEcho();
  const copies = ["undici", "undici-next"].map((name) => join(directory.path, name));
  for (const copy of copies) await cp(installed, copy, { recursive: true });
  const [first, second] = copies.map((copy) => pathToFileURL(join(copy, "index.js")).href);
  const script = `
    import first from ${JSON.stringify(first)};
    import second from ${JSON.stringify(second)};
    ${send}
    first.setGlobalDispatcher(new first.Agent({ connections: 1 }));
    const globals = [fetch, second.fetch].map((fetch) => context.with({ tenant_id: "a" }, async () =>
      (await fetch(process.env.TARGET)).text()));
    console.log(await arrived(first), await arrived(second), (await Promise.all(globals)).join());
    first.getGlobalDispatcher().destroy();`;
  const child = await runScript(script, { env: { TARGET: upstream.url } });
  assert.equal(child.stdout, "20 20 tenant_id=a,tenant_id=a\n", child.stderr);
});

test("undici is not loaded because propagation is, and other modules of such names are left alone", async () => {
  await using directory = await temporaryDirectory();
  const script = `
    const { writeFileSync } = require("node:fs");
    const path = ${JSON.stringify(join(directory.path, "client.js"))};
    writeFileSync(path, "module.exports = class Client { dispatch() {} };");
    const Client = require(path);
    const before = Client.prototype.dispatch;
    require(path);
    console.log(before === Client.prototype.dispatch, before.toString(), /undici/.test(Object.keys(require.cache)));`;
  assert.equal((await runScript(script, { type: "commonjs" })).stdout, "true dispatch() {} false\n");
});
