import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startProcess } from "@clew/testing";
import { parse } from "yaml";
import { type Site, startSite } from "./site/start-site.ts";

interface Step {
  readonly id?: string;
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run: string;
}

interface Workflow {
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<"open" | "close", { readonly if: string; readonly steps: readonly Step[] }>>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const token = "0123456789abcdef0123456789abcdef";
let site: Site;
let workflow: Workflow;
let runner: string;
before(async () => {
  workflow = parse(await readFile(join(root, "examples", "ci", "preview.yml"), "utf8"));
  site = await startSite({ manager: ", tokenFile: token" }, { token });
  runner = join(dirname(site.configFile), "runner");
  await mkdir(join(runner, "bin"), { recursive: true });
  const clew = join(root, "packages", "cli", "bin", "clew.js");
  await writeProgram("clew", `exec "${process.execPath}" "${clew}" "$@"`);
  // GitHub's own command, of which only what it is told matters here.
  await writeProgram("gh", `printf '%s\\n' "$@" >> "$RUNNER_TEMP/gh.txt"`);
});
after(() => site?.[Symbol.asyncDispose]());

async function writeProgram(name: string, script: string): Promise<void> {
  const file = join(runner, "bin", name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

/** Runs a job as GitHub's runner does: each step in a shell of its own, what it writes to its files known to the next ones. */
async function runJob(name: "open" | "close"): Promise<readonly string[]> {
  const files = { GITHUB_ENV: join(runner, "env"), GITHUB_OUTPUT: join(runner, "output") };
  for (const file of [...Object.values(files), join(runner, "gh.txt")]) await writeFile(file, "");
  const outputs: Record<string, string> = {};
  const values = (text: string): string =>
    text.replace(/\$\{\{ (.*?) \}\}/g, (_, said) => lookUp(said, outputs));
  const evaluated = (env: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(env).map(([key, text]) => [key, values(text)]));
  let env: Record<string, string> = { ...evaluated(workflow.env), ...files, RUNNER_TEMP: runner };
  for (const step of workflow.jobs[name].steps) {
    const child = await startProcess("bash", ["-e", "-o", "pipefail", "-c", values(step.run)], {
      cwd: runner,
      env: {
        ...env,
        ...evaluated(step.env),
        PATH: [join(runner, "bin"), process.env["PATH"]].join(delimiter),
        XDG_STATE_HOME: runner,
        NODE_OPTIONS: undefined,
      },
    });
    const { code } = await child.exited;
    assert.equal(code, 0, `${step.name}: ${child.stderr}`);
    env = { ...env, ...(await pairsIn(files.GITHUB_ENV)) };
    for (const [key, value] of Object.entries(await pairsIn(files.GITHUB_OUTPUT))) {
      outputs[`steps.${step.id}.outputs.${key}`] = value;
    }
  }
  return (await readFile(join(runner, "gh.txt"), "utf8")).split("\n");
}

function lookUp(expression: string, outputs: Readonly<Record<string, string>>): string {
  const known: Readonly<Record<string, string>> = {
    "github.event.number": "42",
    "github.repository": "acme/shop",
    "github.token": "gh-token",
    "vars.CLEW_MANAGER": site.managerUrl,
    "secrets.CLEW_TOKEN": token,
    ...outputs,
  };
  const value = known[expression];
  assert.ok(value !== undefined, `nobody knows ${expression}`);
  return value;
}

async function pairsIn(file: string): Promise<Record<string, string>> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** The status of the preview's page for whoever opens it as a browser does, with cookies. */
async function statusOf(link: string): Promise<number | undefined> {
  const first = await visit(link);
  if (first.statusCode !== 303) return first.statusCode;
  const [cookie = ""] = (first.headers["set-cookie"]?.[0] ?? "").split(";");
  return (await visit(new URL(first.headers.location ?? "", link).href, cookie)).statusCode;
}

/** Names below `localhost` are this machine without any DNS, as browsers know. */
async function visit(link: string, cookie?: string): Promise<IncomingMessage> {
  const { host, port, pathname, search } = new URL(link);
  const headers = { host, ...(cookie === undefined ? {} : { cookie }) };
  const [answer] = await once(get({ host: "127.0.0.1", port, path: pathname + search, headers }), "response");
  answer.resume();
  return answer;
}

function linkIn(said: readonly string[]): string {
  const link = said.map((line) => /^Preview, for a week: (http\S+)$/.exec(line)?.[1]).find(Boolean);
  assert.ok(link, `gh was told: ${said.join(" ")}`);
  return link;
}

test("the workflow for pull requests makes a preview, prolongs it with the same link, and ends it, once or twice", async () => {
  const said = await runJob("open");
  assert.deepEqual(said.slice(0, 5), ["pr", "comment", "42", "--repo", "acme/shop"]);
  const first = linkIn(said);
  assert.match(first, /^http:\/\/pr-42\.preview\.localhost:\d+\/\?clew-visit=/);
  assert.equal(await statusOf(first), 200);
  assert.equal(linkIn(await runJob("open")), first);
  assert.equal(await statusOf(first), 200);
  await runJob("close");
  assert.equal(await statusOf(first), 410);
  await runJob("close");
});

test("the workflow's jobs are for pull requests that are open and for those that were closed", () => {
  assert.equal(workflow.jobs.open.if, "github.event.action != 'closed'");
  assert.equal(workflow.jobs.close.if, "github.event.action == 'closed'");
});
