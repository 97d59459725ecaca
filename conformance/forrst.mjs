// @ts-check
// npm run conformance:forrst -- [URL …] [--spec DIR] [--only TEXT] [--quick] [--json]
// Puts every case to a Forrst server; without a URL to our own, on each of its transports. forrst/README.md says which
// functions the server must have. DIR: a checkout of the specification, whose examples are then put to the server too.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { finish, lineWriter, refuse, table } from "../scripts/command.mjs";
import { loadCases, readJson } from "./forrst/cases.mjs";
import { caseFor, compareExamples, isExcused, readExamples } from "./forrst/examples.mjs";
import { isMeantFor, runCase, startProbe } from "./forrst/run.mjs";
import { startServers } from "./forrst/server.mjs";
import { openTransport } from "./forrst/transports.mjs";

const command = "conformance:forrst";

function readArguments() {
  const flag = { type: /** @type {const} */ ("boolean"), default: false };
  const text = { type: /** @type {const} */ ("string") };
  try {
    return parseArgs({
      allowPositionals: true,
      options: { spec: text, only: text, quick: flag, json: flag },
    });
  } catch (error) {
    return refuse(command, error instanceof Error ? error.message : String(error));
  }
}

const { values: flags, positionals } = readArguments();
const write = lineWriter(flags.json);
if (flags.spec !== undefined && !existsSync(join(flags.spec, "spec", "protocol.md"))) {
  refuse(
    command,
    `--spec DIR names a checkout of the specification; no ${join(flags.spec, "spec", "protocol.md")}`,
  );
}
const transportOf = (/** @type {string} */ url) =>
  openTransport(url) ?? refuse(command, `${url} is not a URL with http:, h2c: or unix:`);

const inFiles = loadCases();
const excuses = readJson("contradictions.json");
const examples = flags.spec === undefined ? [] : readExamples(flags.spec);
const named = new Set(inFiles.flatMap((one) => one.examples ?? []));
const asTheyStand = examples
  .filter((example) => !isExcused(example, excuses))
  .flatMap((example) => caseFor(example) ?? []);
for (const one of asTheyStand) named.add(one.key);
const comparison =
  examples.length === 0 ? { missing: [], unknown: [] } : compareExamples(examples, named, excuses);
const cases = [...inFiles, ...asTheyStand].filter(({ key }) => key.includes(flags.only ?? ""));
if (cases.length === 0) refuse(command, `no case has "${flags.only}" in its name`);

const own = positionals.length > 0 ? undefined : await startServers();
const probe = await startProbe();
const urls = own?.urls ?? positionals;
const transports = urls.map(transportOf).slice(0, flags.quick ? 1 : undefined);
const runs = [];
for (const transport of transports) {
  const meant = cases.filter((one) => isMeantFor(one, transport));
  const reports = [];
  for (const one of meant) reports.push(await runCase(one, transport, probe));
  transport.close();
  const failed = reports.filter(({ faults }) => faults.length > 0);
  runs.push({
    transport: transport.name,
    passed: reports.length - failed.length,
    of: reports.length,
    failed,
  });
}
probe.close();
await own?.close();

for (const { transport, failed } of runs) {
  for (const { key, level, page, paragraph, title, faults } of failed) {
    write(`${transport}: ${key} (${level}; ${page}, "${paragraph}"): ${title}`);
    for (const fault of faults) write(`    ${fault}`);
  }
}
for (const name of comparison.missing) write(`an example of the specification that is no case: ${name}`);
for (const name of comparison.unknown)
  write(`a case names an example that the specification does not have: ${name}`);
write(
  table([
    ["transport", "passed"],
    ...runs.map(({ transport, passed, of }) => [transport, `${passed}/${of}`]),
  ]),
);
// What is only recommended, or our choice where the pages disagree, binds our own server and no other.
const binding = own === undefined ? ["must"] : ["must", "should", "choice"];
finish({
  passed:
    runs.every(({ failed }) => failed.every(({ level }) => !binding.includes(level))) &&
    comparison.missing.length + comparison.unknown.length === 0,
  cases: inFiles.length,
  examples: examples.length,
  ...comparison,
  runs: runs.map(({ failed, ...run }) => ({ ...run, failed: failed.map(({ key }) => key) })),
});
