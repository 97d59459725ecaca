// The context of a scope in the environment of what is started in it, and of a process in what it does.
import assert from "node:assert/strict";
import childProcess, { execFileSync, execSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { context } from "@clew/context";
import { startUpstream } from "@clew/testing";
import { register } from "../api.ts";
import { contextHeaders } from "./context-headers.ts";
import { runScript } from "./run-script.ts";

const registration = register({ service: "test", warnMissing: false, propagateToChildren: true });
after(() => registration.disable());

// As if this process had itself been started for a request.
const inherited = { BAGGAGE: "tenant_id=inherited", TRACESTATE: "old=1" };
before(() => Object.assign(process.env, inherited));
after(() => {
  for (const name of Object.keys(inherited)) delete process.env[name];
});

const print = `
  const { BAGGAGE, TRACEPARENT, TRACESTATE, X_FORRST_CALLER, OWN } = process.env;
  console.log([BAGGAGE, TRACEPARENT, TRACESTATE, X_FORRST_CALLER, OWN].join("|"));`;
const args = ["--eval", print];
const command = `"${process.execPath}" --eval '${print}'`;

type Options = { env?: NodeJS.ProcessEnv; encoding: "utf8"; stdio?: "pipe" };

/** Every way to start one; each gives what the child printed. */
const starters: Readonly<Record<string, (options: Options) => Promise<string> | string>> = {
  spawn: (options) => text(childProcess.spawn(process.execPath, args, options).stdout),
  exec: async (options) => (await promisify(childProcess.exec)(command, options)).stdout,
  execFile: async (options) =>
    (await promisify(childProcess.execFile)(process.execPath, args, options)).stdout,
  async fork(options) {
    const child = childProcess.fork("--", [], {
      ...options,
      execArgv: ["--eval", `${print} process.disconnect();`],
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    const [printed] = await Promise.all([text(child.stdout as never), once(child, "exit")]);
    return printed;
  },
  spawnSync: (options) => spawnSync(process.execPath, args, options).stdout,
  execFileSync: (options) => execFileSync(process.execPath, args, options),
  execSync: (options) => execSync(command, options),
};

for (const [name, start] of Object.entries(starters)) {
  test(`${name}: the child gets the context of the scope, not what this process was started with; what is set for it wins`, async () => {
    const scoped = (env?: NodeJS.ProcessEnv): Promise<string> =>
      context.with({ tenant_id: "acme" }, async () =>
        start({ encoding: "utf8", ...(env === undefined ? {} : { env }) }),
      );
    assert.equal(await scoped(), "tenant_id=acme|||test|\n");
    assert.equal(await scoped({ ...process.env, OWN: "1" }), "tenant_id=acme|||test|1\n");
    assert.equal(await scoped({ OWN: "1" }), "tenant_id=acme|||test|1\n");
    assert.equal(await scoped({ BAGGAGE: "mine=1" }), "mine=1|||test|\n");
    assert.equal(await start({ encoding: "utf8" }), "tenant_id=inherited||old=1||\n");
  });
}

test("the forms of arguments that Node takes and refuses stay what they are", () => {
  context.with({ tenant_id: "acme" }, () => {
    assert.equal(spawnSync("true").status, 0);
    assert.equal(spawnSync("true", { encoding: "utf8" }).stdout, "");
    assert.equal(spawnSync("true", undefined, { encoding: "utf8" }).stdout, "");
    assert.match(spawnSync("env", { encoding: "utf8" }).stdout, /^BAGGAGE=tenant_id=acme$/m);
    assert.match(execSync("env").toString(), /^BAGGAGE=tenant_id=acme$/m);
    assert.throws(() => spawnSync("true", "odd" as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => spawnSync("true", [], 5 as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => execSync("exit 3", { stdio: "pipe" }), { status: 3 });
    assert.throws(() => childProcess.spawn("true", [], { env: 5 as never, cwd: 5 as never }));
  });
  const env = Object.create({ INHERITED: "1" });
  const printed = context.with({}, () => spawnSync("/usr/bin/env", { env, encoding: "utf8" }).stdout);
  assert.match(printed, /^INHERITED=1$/m);
});

test("without being asked, neither children nor this process have anything to do with contexts in environments", async () => {
  registration.disable();
  const plain = register({ service: "test", warnMissing: false });
  const spawned = await context.with({ tenant_id: "acme" }, () => starters["spawn"]?.({ encoding: "utf8" }));
  const waited = context.with({ tenant_id: "acme" }, () => starters["spawnSync"]?.({ encoding: "utf8" }));
  plain.disable();
  assert.deepEqual([spawned, waited], ["tenant_id=inherited||old=1||\n", "tenant_id=inherited||old=1||\n"]);
});

const job = `
  const { context } = await import(${JSON.stringify(import.meta.resolve("@clew/context"))});
  const { createServer } = await import("node:http");
  console.log(context.get("tenant_id"), context.current()?.caller);
  await fetch(process.env.TARGET).then((answer) => answer.text());
  const server = createServer((req, res) => res.end(String(context.get("tenant_id"))));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const answer = await fetch("http://127.0.0.1:" + server.address().port, { headers: { baggage: "" } });
  console.log(await answer.text());
  server.close();
  server.closeAllConnections();`;

test("a job takes up the context in its environment when asked to, calls out with it, and serves requests without it", async () => {
  const seen: Record<string, string>[] = [];
  await using upstream = await startUpstream({
    handle: (req, res) => {
      seen.push(contextHeaders(req.rawHeaders));
      res.end();
    },
  });
  const env = {
    TARGET: upstream.url,
    CLEW_SERVICE: "job",
    CLEW_WARN_MISSING: "0",
    BAGGAGE: "tenant_id=acme",
    X_FORRST_CALLER: "orders",
  };
  const asked = await runScript(job, { env: { ...env, CLEW_CONTEXT_FROM_ENV: "1" } });
  assert.equal(asked.stdout, "acme orders\nundefined\n");
  const unasked = await runScript(job, { env });
  assert.equal(unasked.stdout, "undefined undefined\nundefined\n");
  assert.deepEqual(seen, [
    { baggage: "tenant_id=acme", "x-forrst-caller": "job" },
    { "x-forrst-caller": "job" },
  ]);
});
