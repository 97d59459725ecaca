// @ts-check
// npm run bench:context -- [--only chain,start-up,codec,memory] [--node 20,24] [--client http,fetch] [--quick] [--json]
// What carrying contexts costs a service, beside the bare service, the floor of one AsyncLocalStorage scope, and
// OpenTelemetry. Interleaved, as ratios; the machine should do nothing else. `memory` is not run unless it is named.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { finish, lineWriter, parseFlags, refuse, table } from "../scripts/command.mjs";
import { findNodes } from "../scripts/node-binaries.mjs";
import { measureChain } from "./context/chain.mjs";
import { measureMemory } from "./context/memory.mjs";
import { measureStartUp } from "./context/start-up.mjs";

const command = "bench:context";
const parts = ["chain", "start-up", "codec", "memory"];
const clients = ["http", "fetch"];

/** What performance.md and the issue ask for. */
const aims = {
  /** Of the bare service's throughput, from Node 22.9 with AsyncContextFrame, so on 24. */
  throughputOfBare: 0.95,
  /** Of one AsyncLocalStorage scope per request, on Node 20, whose promise hooks are not ours to speed up. */
  throughputOfAls: 0.95,
  cpuShareOfOtel: 0.1,
  startUpMs: 30,
  codecUnchanged: 10,
  codecChanged: 3,
  /** Bytes that a heap of some 10 MiB may differ by chance. */
  grownBytes: 512 * 1024,
};

const flags = parseFlags(command, {
  only: { type: "string", default: "chain,start-up,codec" },
  node: { type: "string", default: "20,24" },
  client: { type: "string", default: clients.join(",") },
});
const isQuick = flags.quick === true;
const write = lineWriter(flags.json === true);

/** @param {"only" | "node" | "client"} flag @param {readonly string[]} known */
function listOf(flag, known) {
  const items = String(flags[flag]).split(",");
  const unknown = items.filter((item) => !known.includes(item));
  if (unknown.length > 0) refuse(command, `--${flag} takes ${known.join(", ")}, not ${unknown.join(", ")}`);
  return items;
}
const only = listOf("only", parts);
const asked = listOf("client", clients);
const majors = listOf("node", ["20", "22", "24"]).map(Number);
const nodes = findNodes(majors);
if (nodes.length === 0)
  refuse(command, `no Node ${majors.join(", ")} at hand; CLEW_NODE20=/path/to/node names one`);

/** @type {{ what: string, value: number, aim: string, met: boolean }[]} */
const judged = [];
/** @param {string} what @param {number} value @param {number} aim @param {"least" | "most"} kind */
function judge(what, value, aim, kind) {
  const met = kind === "least" ? value >= aim : value <= aim;
  judged.push({ what, value: Number(value.toPrecision(3)), aim: `at ${kind} ${aim}`, met });
}
const fixed = (/** @type {number} */ value, digits = 2) => value.toFixed(digits);

/** @param {{ major: number, file: string, version: string }} node @param {string} client */
async function benchChain({ major, file, version }, client) {
  const size = isQuick
    ? { sets: 1, rounds: 12, turnMs: 250, warmUpMs: 1_200 }
    : { sets: 7, rounds: 24, turnMs: 250, warmUpMs: 2_500 };
  const { rows, sets, cpuShareOfOtel } = await measureChain({ node: file, client, ...size });
  write(
    `\nA → B by ${client}, Node ${version}, ${sets} sets of ${size.rounds} turns each: medians, ratios made within a set`,
  );
  write(
    table([
      ["A carries", "req/s", "of bare", "of als", "CPU µs/req", "added", "p50 µs", "p99 µs"],
      ...rows.map((row) => [
        row.mode,
        row.rps,
        fixed(row.ofBare),
        fixed(row.ofAls),
        fixed(row.cpuUs, 1),
        fixed(row.addedCpuUs, 1),
        Math.round(row.p50Us),
        Math.round(row.p99Us),
      ]),
    ]),
  );
  const clew = rows.find((row) => row.mode === "clew");
  const where = `Node ${major} ${client}`;
  if (major >= 24) judge(`${where}: of bare`, clew?.ofBare ?? 0, aims.throughputOfBare, "least");
  else judge(`${where}: of AsyncLocalStorage alone`, clew?.ofAls ?? 0, aims.throughputOfAls, "least");
  judge(`${where}: added CPU, share of OpenTelemetry's`, cpuShareOfOtel, aims.cpuShareOfOtel, "most");
  return { part: "chain", node: version, client, sets, cpuShareOfOtel, rows };
}

/** @param {{ major: number, file: string, version: string }} node */
function benchStartUp({ major, file, version }) {
  const rows = measureStartUp({ node: file, rounds: isQuick ? 7 : 31 });
  write(`\nstart-up, Node ${version}: added to a program that does nothing`);
  write(
    table([
      ["loads", "ms", "CPU ms"],
      ...rows.map((row) => [row.mode, fixed(row.addedMs, 1), fixed(row.addedCpuMs, 1)]),
    ]),
  );
  const clew = rows.find((row) => row.mode === "clew");
  judge(`Node ${major}: start-up, ms`, clew?.addedMs ?? Number.NaN, aims.startUpMs, "most");
  return { part: "start-up", node: version, rows };
}

/** @param {{ major: number, file: string, version: string }} node */
function benchCodec({ major, file, version }) {
  const script = fileURLToPath(new URL("context/codec.mjs", import.meta.url));
  const run = (/** @type {string[]} */ ...args) =>
    JSON.parse(execFileSync(file, [script, ...args], { encoding: "utf8" }));
  const rows = run("list").map(
    /** @returns {{ name: string, clewNs: number, otelNs: number, ratio: number }} */
    (/** @type {string} */ name) => run(name, isQuick ? "15" : "101"),
  );
  write(`\nextract and inject, ns, Node ${version}`);
  write(
    table([
      ["context", "Clew", "OpenTelemetry", "times as fast"],
      ...rows.map((/** @type {any} */ { name, clewNs, otelNs, ratio }) => [
        name,
        clewNs,
        otelNs,
        fixed(ratio, 1),
      ]),
    ]),
  );
  const row = (/** @type {string} */ name) =>
    rows.find((/** @type {{ name: string }} */ one) => one.name === name);
  const of = `Node ${major} codec`;
  judge(`${of}: unchanged, times OpenTelemetry`, row("unchanged")?.ratio ?? 0, aims.codecUnchanged, "least");
  judge(`${of}: one changed, times OpenTelemetry`, row("change one")?.ratio ?? 0, aims.codecChanged, "least");
  // What lies beyond the limit must cost next to nothing on top.
  const hostile = (row("64 KiB, unchanged")?.clewNs ?? 0) / (row("at the limit, unchanged")?.clewNs ?? 0);
  judge(`${of}: 64 KiB, times what the limit's worth costs`, hostile, 2, "most");
  return { part: "codec", node: version, rows };
}

/** @param {{ major: number, file: string, version: string }} node @param {string} client */
async function benchMemory({ major, file, version }, client) {
  const requests = isQuick ? 60_000 : 1_000_000;
  const report = await measureMemory({ node: file, client, requests });
  const megabytes = (/** @type {number} */ bytes) => `${fixed(bytes / 1024 / 1024)} MiB`;
  write(
    `\nmemory, Node ${version}, ${client}: ${report.requests} requests, heap ${megabytes(report.heapBytes)}, grown by ${megabytes(report.grownBytes)}`,
  );
  judge(`Node ${major} ${client}: heap grown, bytes`, report.grownBytes, aims.grownBytes, "most");
  return { part: "memory", node: version, client, ...report };
}

write(
  `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores${isQuick ? "; quick: too few samples for a figure" : ""}`,
);
const reports = [];
for (const node of nodes) {
  if (only.includes("codec")) reports.push(benchCodec(node));
  if (only.includes("start-up")) reports.push(benchStartUp(node));
  for (const client of asked) {
    if (only.includes("chain")) reports.push(await benchChain(node, client));
    if (only.includes("memory")) reports.push(await benchMemory(node, client));
  }
}
write("");
write(
  table([
    ["aim", "measured", "asked for", ""],
    ...judged.map(({ what, value, aim, met }) => [what, value, aim, met ? "met" : "MISSED"]),
  ]),
);
// A quick run shows that the benchmark works, and judges nothing.
finish({ passed: isQuick || judged.every(({ met }) => met), quick: isQuick, aims: judged, reports });
