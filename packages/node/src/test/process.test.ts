import assert from "node:assert/strict";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type TestProcess, temporaryDirectory } from "@clew/testing";
import { runScript } from "./run-script.ts";
import { preload, send, startService } from "./start-service.ts";

const run = (script: string, env: Record<string, string> = {}): Promise<TestProcess> =>
  runScript(script, { env });

const selfCall = `
  import { createServer, get } from "node:http";
  const server = createServer((req, res) => res.end(req.headers["x-forrst-caller"]));
  server.listen(0, "127.0.0.1", async () => {
    const url = "http://127.0.0.1:" + server.address().port;
    get(url, (res) => res.on("data", async (caller) => {
      console.log(String(caller), await (await fetch(url)).text());
      server.close();
    }));
  });`;

test("a process that has served and called ends by itself, and a call outside of any request still names its caller", async () => {
  const child = await run(selfCall, { CLEW_SERVICE: "self" });
  assert.equal(child.stdout, "self self\n");
  assert.equal(child.stderr, "");
});

test("a worker thread has what its process was started with: its servers and clients carry contexts as well", async () => {
  const script = `
    import { Worker } from "node:worker_threads";
    new Worker(new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(selfCall)})));`;
  const child = await run(script, { CLEW_SERVICE: "self" });
  assert.deepEqual([child.stdout, child.stderr], ["self self\n", ""]);
});

test("one object of process.nextTick's outlives a collection of the heap, where without propagation none does", async () => {
  const api = JSON.stringify(new URL("../api.js", import.meta.url).href);
  const script = `
    import { createHook } from "node:async_hooks";
    import { setTimeout } from "node:timers/promises";
    const ticks = [];
    const onInit = (_id, type, _trigger, resource) => { if (type === "TickObject") ticks.push(new WeakRef(resource)); };
    createHook({ init: onInit }).enable();
    const survivors = async () => {
      process.nextTick(() => {});
      // What a WeakRef was made of in this turn is held until the next.
      for (let turn = 0; turn < 3; turn += 1) await setTimeout(1);
      gc();
      return [ticks.length > 0, ticks.filter((tick) => tick.deref() !== undefined).length].join();
    };
    const before = await survivors();
    (await import(${api})).register();
    console.log(before, await survivors());`;
  const child = await runScript(script, { load: ["--expose-gc"] });
  assert.equal(child.stdout, "true,0 true,1\n");
});

test("CLEW_NODE_DISABLED=1 leaves the process as it is", async () => {
  const script = `
    import { Agent, ClientRequest } from "node:http";
    import { Server } from "node:net";
    console.log(Object.hasOwn(Server.prototype, "emit"), Object.hasOwn(ClientRequest.prototype, "_storeHeader"));`;
  assert.equal((await run(script)).stdout, "true true\n");
  assert.equal((await run(script, { CLEW_NODE_DISABLED: "1" })).stdout, "false false\n");
});

test("start-up loads neither undici, TLS nor anything else that the application may never need", async () => {
  const script = `console.log(process.moduleLoadList.filter((name) => /undici|tls|https|http2/.test(name)).join());`;
  assert.equal((await run(script)).stdout, "\n");
});

test("fetch looks like Node's own", async () => {
  const script = `console.log(fetch.name, fetch.length, JSON.stringify(Object.getOwnPropertyDescriptor(globalThis, "fetch")));`;
  assert.equal((await run(script)).stdout, (await run(script, { CLEW_NODE_DISABLED: "1" })).stdout);
});

test("requests without context are warned about once, and not at all with CLEW_WARN_MISSING=0", async () => {
  for (const env of [{}, { CLEW_WARN_MISSING: "0" }]) {
    await using service = await startService("a", { env });
    for (let count = 0; count < 3; count++) await send(service.url, {});
    await service.process.stop();
    const warnings = service.process.stderr.match(/CLEW_CONTEXT_MISSING\] ClewWarning: 1 request came/g);
    assert.equal(warnings?.length ?? 0, "CLEW_WARN_MISSING" in env ? 0 : 1, service.process.stderr);
  }
});

test("two copies of the package in one process work as one", async () => {
  await using directory = await temporaryDirectory();
  const dist = fileURLToPath(new URL("..", import.meta.url));
  const copy = join(directory.path, "copy");
  await mkdir(copy);
  await cp(dist, join(copy, "dist"), { recursive: true, filter: (path) => !path.includes("/test/") });
  await writeFile(join(copy, "package.json"), JSON.stringify({ type: "module" }));
  const modules = fileURLToPath(new URL("../../../../node_modules", import.meta.url));
  await symlink(modules, join(directory.path, "node_modules"));
  const second = pathToFileURL(join(copy, "dist/index.js")).href;
  await using service = await startService("a", { load: [...preload.import, "--import", second] });
  const url = service.url;
  const hop = await send(
    url,
    {
      calls: [
        { via: "http", url },
        { via: "fetch", url },
      ],
    },
    { baggage: "tenant_id=acme" },
  );
  assert.deepEqual(
    hop.hops.map(({ caller, baggage }) => [caller, baggage]),
    [
      ["a", ["tenant_id=acme"]],
      ["a", ["tenant_id=acme"]],
    ],
  );
});
