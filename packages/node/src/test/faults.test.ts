// I9 where the runtime, a library or a peer is not as expected. harmless.test.ts has faults of ours.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer, get, validateHeaderValue } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { context } from "@clew/context";
import { rawExchange, startUpstream, temporaryDirectory } from "@clew/testing";
import * as undici from "undici";
import { register } from "../api.ts";
import { contextHeaders } from "./context-headers.ts";
import { listen } from "./listen.ts";
import { runScript } from "./run-script.ts";

const api = JSON.stringify(new URL("../api.js", import.meta.url).href);
const contextPackage = JSON.stringify(import.meta.resolve("@clew/context"));

/** Calls itself within a context, by http and by fetch, and prints which tenants arrived, and the warnings. */
const selfCalls = `
  const { context } = await import(${contextPackage});
  const server = http.createServer((req, res) => res.end(String(req.headers.baggage)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = "http://127.0.0.1:" + server.address().port;
  const byHttp = () => new Promise((resolve) => http.get(url, (res) => res.on("data", (data) => resolve(String(data)))));
  const byFetch = async () => (await fetch(url)).text();
  for (const send of [byHttp, byFetch]) console.log(await context.with({ tenant_id: "a" }, send));
  server.close();
  server.closeAllConnections();
  await new Promise(setImmediate);
  console.log(warnings.join("; "));`;

for (const [fault, prepare, expected] of [
  ["nothing, as the control", "", ["tenant_id=a", "tenant_id=a", ""]],
  [
    "a frozen prototype",
    `Object.freeze(ClientRequest.prototype);`,
    [
      "undefined",
      "tenant_id=a",
      /^through http\.client: Cannot define property _storeHeader, object is not extensible$/,
    ],
  ],
  [
    "a fetch that somebody has taken out",
    `const { fetch } = globalThis; delete globalThis.fetch; after = () => { globalThis.fetch = fetch; };`,
    ["tenant_id=a", "undefined", /^through fetch: this Node has no fetch method fetch$/],
  ],
  [
    "a Node without getBuiltinModule",
    `process.getBuiltinModule = undefined;`,
    ["undefined", "undefined", /^in this process: Node v[\d.]+ is too old$/],
  ],
  [
    "a process that cannot even be warned",
    `Object.freeze(ClientRequest.prototype); process.emitWarning = () => { throw new Error("no warnings today"); };`,
    ["undefined", "tenant_id=a", ""],
  ],
  [
    "request functions that somebody has replaced, before and after",
    `http.get = ((get) => (...args) => get(...args))(http.get); after = () => { http.get = ((get) => (...args) => get(...args))(http.get); };`,
    ["tenant_id=a", "tenant_id=a", ""],
  ],
] as const) {
  test(`${fault}: costs what it concerns, is said once, and every call is answered`, async () => {
    const script = `
      import http, { ClientRequest } from "node:http";
      const warnings = [];
      process.on("warning", ({ message }) =>
        warnings.push(/contexts (.*), after a fault of its own: (.*)\\. The/.exec(message)?.slice(1).join(": ")));
      let after = () => {};
      ${prepare}
      const { register } = await import(${api});
      register({ service: "test", warnMissing: false });
      after();
      ${selfCalls}`;
    const { stdout } = await runScript(script, { load: ["--no-warnings"] });
    const [byHttp, byFetch, warnings] = stdout.split("\n");
    assert.deepEqual([byHttp, byFetch], expected.slice(0, 2), stdout);
    if (typeof expected[2] === "string") assert.equal(warnings, expected[2]);
    else assert.match(String(warnings), expected[2]);
  });
}

test("a library in which nothing can be changed costs its own hook, with one warning, and works on", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "client.js");
  await writeFile(
    path,
    `class Client { dispatch() { return "dispatched"; } close() {} destroy() {} }
     Object.freeze(Client.prototype);
     module.exports = Client;`,
  );
  const script = `
    process.on("warning", ({ message }) => console.log(message));
    const Client = require(${JSON.stringify(path)});
    console.log(new Client().dispatch());
    console.log(typeof require("undici").request);`;
  const child = await runScript(script, { type: "commonjs" });
  assert.match(
    child.stdout,
    /^dispatched\nfunction\nClew no longer carries contexts through undici, .*dispatch/,
  );
});

const absurd: Readonly<Record<string, readonly string[]>> = {
  "a header of nothing but separators": [`baggage: ${",;=,".repeat(500)}`],
  "a hundred lines": Array.from({ length: 100 }, (_, id) => `baggage: k${id}=v`),
  "bytes that are no UTF-8": ["baggage: a=\xff\xfe,b=%FF%FE,c=%", "x-forrst-caller: \xff%00%0d%0a"],
  "names that are dangerous elsewhere": ["baggage: __proto__=1,constructor=2,clew-route=%00,=x"],
  "two traces at once": ["traceparent: 00-1-2-3", "traceparent: 00-1-2-3", "tracestate: ,,=,"],
  "values that would split a head": ["baggage: a=%0d%0ax-evil:%201,b=1", "x-forrst-caller: a%0d%0ax-evil: 1"],
  "values as long as Node takes them": [`baggage: a=${"x".repeat(14_000)}`],
};

test("absurd headers are served as ever, and what goes on of them is valid", async () => {
  const registration = register({ service: "test", warnMissing: false });
  const left: Record<string, string>[] = [];
  await using upstream = await startUpstream({
    handle: (req, res) => {
      left.push(contextHeaders(req.rawHeaders));
      assert.equal(req.headers["x-evil"], undefined);
      res.end();
    },
  });
  const server = createServer((_req, res) => {
    get(upstream.url, (answer) =>
      answer.resume().on("end", () => res.end(`size ${context.current()?.size}`)),
    );
  });
  await using listening = await listen(server);
  for (const [name, lines] of Object.entries(absurd)) {
    const head = ["GET / HTTP/1.1", "host: test", "connection: close", ...lines].join("\r\n");
    const answer = await rawExchange(listening.port, Buffer.from(`${head}\r\n\r\n`, "latin1"));
    assert.match(answer.toString(), /^HTTP\/1\.1 200 OK(.|\r\n)*size \d+/, name);
  }
  registration.disable();
  assert.equal(left.length, Object.keys(absurd).length);
  for (const headers of left) {
    assert.equal(headers["x-forrst-caller"], "test");
    for (const [name, value] of Object.entries(headers)) validateHeaderValue(name, value);
  }
});

test("disabled in the middle of traffic: what waits in queues leaves, answered, and no header is doubled", async () => {
  const registration = register({ service: "test", warnMissing: false });
  const seen: string[] = [];
  await using upstream = await startUpstream({
    handle: (req, res) => {
      seen.push(req.headersDistinct["baggage"]?.join(" and ") ?? "none");
      if (seen.length === 5) registration.disable();
      setImmediate(() => res.end());
    },
  });
  const pool = new undici.Pool(upstream.url, { connections: 1 });
  const send = async (id: number): Promise<string> =>
    context.with({ tenant_id: `t${id}` }, async () =>
      (await pool.request({ path: "/", method: "GET" })).body.text(),
    );
  await Promise.all(Array.from({ length: 20 }, (_, id) => send(id)));
  await send(20);
  await pool.close();
  assert.deepEqual(
    seen.sort(),
    ["none", ...Array.from({ length: 20 }, (_, id) => `tenant_id=t${id}`)].sort(),
  );
  const answers = await Promise.all([fetch(upstream.url), fetch(upstream.url)]);
  await Promise.all(answers.map((answer) => answer.text()));
  assert.deepEqual(seen.slice(-2), ["none", "none"]);
});

test("both copies of an application's entry points load it: ES module and CommonJS are one registration", async () => {
  const path = JSON.stringify(fileURLToPath(import.meta.resolve("@clew/node")));
  const script = `
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    const before = globalThis[Symbol.for("clew.node.registration")];
    const { register } = require(${path});
    console.log(before.active, register() === before, (await import(${api})).register() === before);
    before.disable();
    console.log(before.active, register() === before);
    register().disable();`;
  assert.equal((await runScript(script)).stdout, "true true true\nfalse false\n");
});
