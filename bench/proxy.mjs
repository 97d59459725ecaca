// @ts-check
// npm run bench:proxy -- [--only small,large,upload,connections,websocket,latency,overrides,memory] [--peers nginx,clew,…]
//   [--without go,haproxy] [--node 20,24] [--rounds N] [--quick] [--json]
// What one hop through an agent costs, beside nginx, HAProxy, Go's ReverseProxy and Node's usual proxies: CPU per request,
// throughput, latency at a fixed rate, memory. One process each; interleaved, as ratios. The machine should do nothing else.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@clew/testing";
import { finish, lineWriter, parseFlags, refuse, table, wholeNumber } from "../scripts/command.mjs";
import { findNodes } from "../scripts/node-binaries.mjs";
import { judgeLoad, judgeMemory, judgeOverrides } from "./proxy/aims.mjs";
import { fixedRate, loads } from "./proxy/loads.mjs";
import { measureLoad, quietCores } from "./proxy/measure.mjs";
import { measureMemory } from "./proxy/memory.mjs";
import { measureOverrides } from "./proxy/overrides.mjs";
import { buildGo, peers } from "./proxy/peers.mjs";
import { isPinned } from "./proxy/processes.mjs";
import { findPrograms, versionsOf } from "./proxy/programs.mjs";
import { loadTable, memoryTable, overridesTable, summarize } from "./proxy/report.mjs";
import { startTableSource } from "./proxy/table-source.mjs";

const command = "bench:proxy";
const parts = [...Object.keys(loads), "overrides", "memory"];
/** Far below the 10,000 that an agent takes at most, and enough to drown what a heap does by chance. */
const idleConnections = 8_000;
const quickIdleConnections = 500;

const flags = parseFlags(command, {
  only: { type: "string", default: parts.join(",") },
  peers: { type: "string", default: Object.keys(peers).join(",") },
  without: { type: "string", default: "" },
  node: { type: "string" },
  rounds: { type: "string" },
});
const isQuick = flags.quick === true;
const write = lineWriter(flags.json === true);

/** @param {"only" | "peers" | "without" | "node"} flag @param {readonly string[]} known */
function listOf(flag, known, fallback = "") {
  const items = String(flags[flag] ?? fallback)
    .split(",")
    .filter((item) => item !== "");
  const unknown = items.filter((item) => !known.includes(item));
  if (unknown.length > 0) refuse(command, `--${flag} takes ${known.join(", ")}, not ${unknown.join(", ")}`);
  return items;
}
const only = listOf("only", parts);
const without = listOf("without", Object.keys(peers));
const asked = listOf("peers", Object.keys(peers));
const names = Object.keys(peers).filter((name) => asked.includes(name) && !without.includes(name));
const majors = listOf("node", ["20", "22", "24"], isQuick ? "24" : "20,24").map(Number);
const rounds = wholeNumber(command, "rounds", flags.rounds ?? (isQuick ? 1 : 9), { min: 1, max: 1_000 });
if (process.platform !== "linux") refuse(command, "CPU time is read from /proc, which only Linux has");
const nodes = findNodes(majors);
if (nodes.length === 0)
  refuse(command, `no Node ${majors.join(", ")} at hand; CLEW_NODE20=/path/to/node names one`);

// nginx is the back end, too.
const needed = names.flatMap((name) => peers[name]?.program ?? []);
const { files: programs, missing, advice } = findPrograms([...new Set([...needed, "wrk", "nginx"])]);
if (missing.length > 0) refuse(command, `${advice}; --without go,haproxy leaves peers out`);

const size = isQuick
  ? { rounds, turnMs: 1_000, warmUpMs: 1_000 }
  : { rounds, turnMs: 1_000, warmUpMs: 3_000 };
const folder = mkdtempSync(join(tmpdir(), "clew-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const tables = await startTableSource(await freePort());
/** @type {import("./proxy/aims.mjs").Judged[]} */
const judged = [];
const reports = [];
/** Loads of which too few turns were left alone. @type {string[]} */
const disturbed = [];

/** @param {import("./proxy/peers.mjs").World} world @param {{ major: number, version: string }} node @param {string} part */
async function benchPart(world, { major, version }, part) {
  const where = `Node ${version}`;
  if (part === "overrides") {
    const rows = await measureOverrides({ world, ...size });
    write(`\n${where}: one agent, ${loads["small"]?.title}, with and without overrides`);
    write(overridesTable(rows));
    judged.push(...judgeOverrides(major, rows));
    return { part, node: version, rows };
  }
  if (part === "memory") {
    const connections = isQuick ? quickIdleConnections : idleConnections;
    const rows = await measureMemory({ world, names, connections });
    write(`\n${where}: memory, ${connections} idle connections that have asked once`);
    write(memoryTable(rows));
    judged.push(...judgeMemory(major, rows));
    return { part, node: version, connections, rows };
  }
  const load = loads[part];
  if (load === undefined) throw new Error(`no load is called ${part}`);
  const able = names.filter((name) => !peers[name]?.unable?.includes(part));
  const rows = summarize(await measureLoad({ world, load, names: able, ...size }));
  write(`\n${where}: ${load.title}; medians of ${rounds} turns`);
  write(loadTable(rows, load.unit));
  if (rows.some(({ foreignCores }) => foreignCores > quietCores)) {
    disturbed.push(`${part} on Node ${major}`);
    write("others used the machine meanwhile: these figures prove little");
  }
  judged.push(...judgeLoad(major, part, rows));
  return { part, node: version, ...(part === "latency" ? { rate: fixedRate } : {}), rows };
}

write(
  `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, ${isPinned ? "proxies on one, load and back end on another" : "nothing pinned: taskset is not at hand"}${isQuick ? "; quick: too few turns for a figure" : ""}`,
);
const versions = versionsOf(programs);
write(
  Object.entries(versions)
    .map(([program, version]) => `${program} ${version}`)
    .join(", "),
);
if (without.length > 0) write(`without ${without.join(", ")}`);
const shared = { folder, programs, tables };
if (names.includes("go")) buildGo({ ...shared, node: "" });
for (const node of nodes) {
  const world = { ...shared, node: node.file };
  for (const part of parts) if (only.includes(part)) reports.push(await benchPart(world, node, part));
}
await tables.close();

if (judged.length > 0) {
  write("");
  write(
    table([
      ["aim", "measured", "asked for", ""],
      ...judged.map(({ what, value, aim, met }) => [what, value, aim, met ? "met" : "MISSED"]),
    ]),
  );
}
// A quick run shows that the benchmark works, and judges nothing.
finish({
  passed: isQuick || judged.every(({ met }) => met),
  quick: isQuick,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  pinned: isPinned,
  versions,
  disturbed,
  without,
  aims: judged,
  reports,
});
