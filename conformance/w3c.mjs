// @ts-check
// npm run conformance:w3c -- --harness DIR [--client http|fetch] [--quick] [--json]
// The W3C's own judge of trace contexts against a service with nothing but `--import @clew/node`.
// DIR: a checkout of github.com/w3c/trace-context. It needs Python 3 with aiohttp (Debian: python3-aiohttp).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { freePort } from "@clew/testing";
import { finish, lineWriter, parseFlags, refuse, table } from "../scripts/command.mjs";
import { findNodes } from "../scripts/node-binaries.mjs";
import { parseUnittest } from "./w3c/report.mjs";
import { startService } from "./w3c/start-service.mjs";

const command = "conformance:w3c";
/** So many tests has the harness at levels 2 and 2, as of June 2026; fewer that ran are no pass. */
const expectedTests = 41;
/** Debian's, since another Python that comes first in PATH has no aiohttp. */
const python = process.env["CLEW_PYTHON"] ?? "/usr/bin/python3";

const flags = parseFlags(command, { harness: { type: "string" }, client: { type: "string" } });
const write = lineWriter(flags.json === true);
if (flags.harness === undefined) {
  refuse(command, "--harness DIR is needed, a checkout of github.com/w3c/trace-context");
}
const folder = resolve(String(flags.harness), "test");
if (!existsSync(join(folder, "test.py"))) {
  refuse(command, `--harness DIR is no checkout of github.com/w3c/trace-context: it has no test/test.py`);
}
const clients = flags.client === undefined ? ["http", "fetch"] : [String(flags.client)];
if (!clients.every((client) => client === "http" || client === "fetch")) {
  refuse(command, "--client is http or fetch");
}

/** @param {string} url */
async function runHarness(url) {
  const child = spawn(python, ["test.py", url], {
    cwd: folder,
    env: {
      ...process.env,
      SPEC_LEVEL: "2",
      STRICT_LEVEL: "2",
      HARNESS_PORT: String(await freePort()),
      PYTHONDONTWRITEBYTECODE: "1",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [report] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { report, outcomes: parseUnittest(report) };
}

const runs = [];
for (const { version, file } of findNodes(flags.quick ? [24] : [20, 24])) {
  for (const client of clients) {
    const service = await startService({ node: file, client });
    const { report, outcomes } = await runHarness(service.url).finally(service.close);
    const failed = outcomes.filter(({ outcome }) => outcome !== "ok").map(({ name }) => name);
    if (outcomes.length === 0) process.stderr.write(report);
    runs.push({
      node: version,
      client,
      passed: outcomes.length - failed.length,
      of: outcomes.length,
      failed,
    });
  }
}
write(
  table([
    ["node", "client", "passed"],
    ...runs.map((run) => [run.node, run.client, `${run.passed}/${run.of}`]),
  ]),
);
for (const run of runs) for (const name of run.failed) write(`failed: ${run.node} ${run.client} ${name}`);
const passed = runs.length > 0 && runs.every((run) => run.passed === run.of && run.of >= expectedTests);
finish({ passed, specLevel: 2, strictLevel: 2, runs });
