// @ts-check
// npm run bench:rpc -- [--only clew,trpc,…] [--rounds N] [--connections N] [--quick] [--json]
// What a call costs a server: ours with validation, context and tracing on, as `listen` serves it and on a node:http
// server of one's own, beside other RPCs and bare node:http. One process for each server, one for the load; interleaved,
// as ratios. The machine should do nothing else.
import { cpus } from "node:os";
import { finish, lineWriter, parseFlags, refuse, table, wholeNumber } from "../scripts/command.mjs";
import { findNodes } from "../scripts/node-binaries.mjs";
import { measure, median } from "./rpc/measure.mjs";
import { peers } from "./rpc/peers.mjs";
import { loads } from "./rpc/work.mjs";

const command = "bench:rpc";
/** What the issue asks for: at most so much more CPU than bare node:http for the small call. */
const aimOfBare = 1.15;

const flags = parseFlags(command, {
  only: { type: "string" },
  rounds: { type: "string" },
  connections: { type: "string", default: "32" },
});
const write = lineWriter(flags.json === true);
const isQuick = flags.quick === true;
const asked = flags.only === undefined ? Object.keys(peers) : ["bare", ...String(flags.only).split(",")];
const names = [...new Set(asked)];
const unknown = names.filter((name) => peers[name] === undefined);
if (unknown.length > 0)
  refuse(command, `--only takes ${Object.keys(peers).join(", ")}, not ${unknown.join(", ")}`);
const rounds = wholeNumber(command, "rounds", flags.rounds ?? (isQuick ? 3 : 9), { min: 1, max: 1_000 });
const connections = wholeNumber(command, "connections", flags.connections, { min: 1, max: 10_000 });
const [node] = findNodes([24]);
if (node === undefined) refuse(command, "no Node 24 at hand; CLEW_NODE24=/path/to/node names one");
if (process.platform !== "linux") refuse(command, "CPU time is read from /proc, which only Linux has");

const fixed = (/** @type {number} */ value, digits = 2) => Number(value.toFixed(digits));

const results = [];
for (const { name: load, lines } of loads) {
  const turnMs = isQuick ? 500 : 2_000;
  const warmUpMs = isQuick ? 1_000 : 5_000;
  const measured = await measure({ node: node.file, names, lines, rounds, turnMs, warmUpMs, connections });
  const bare = measured.find(({ name }) => name === "bare")?.turns ?? [];
  const rows = measured.map(({ name, turns }) => {
    const ratio = (/** @type {"rps" | "cpuUs"} */ what) =>
      fixed(median(turns.map((turn, round) => turn[what] / (bare[round]?.[what] ?? Number.NaN))), 3);
    const middle = (/** @type {keyof typeof turns[0]} */ what) => median(turns.map((turn) => turn[what]));
    return {
      name,
      cpuUs: fixed(middle("cpuUs"), 1),
      cpuOfBare: ratio("cpuUs"),
      rps: Math.round(middle("rps")),
      rpsOfBare: ratio("rps"),
      p50Us: Math.round(middle("p50Us")),
      p99Us: Math.round(middle("p99Us")),
    };
  });
  results.push({ load, rows });
  write(`\n${load}, ${connections} connections, ${rounds} rounds: medians, ratios paired within a round`);
  write(
    table([
      ["server", "CPU µs/req", "of bare", "req/s", "of bare", "p50 µs", "p99 µs"],
      ...rows.map(({ name, ...row }) => [peers[name]?.title ?? name, ...Object.values(row)]),
    ]),
  );
}

const small = results[0]?.rows ?? [];
const ours = small.find(({ name }) => name === "clew");
const others = small.filter(({ name }) => name !== "clew" && peers[name]?.isRpc === true);
const isFirst = ours !== undefined && others.length > 0 && others.every(({ cpuUs }) => ours.cpuUs < cpuUs);
const isNearBare = ours !== undefined && ours.cpuOfBare <= aimOfBare;
// The bare server has a fifth of the bytes to read; this one has the very same.
const sameBytes = small.find(({ name }) => name === "bare-envelope");
const cpuOfSameBytes = ours && sameBytes && fixed(ours.cpuUs / sameBytes.cpuUs);
write(
  `\nfirst among the RPCs: ${isFirst ? "yes" : "no"}; at most ${aimOfBare} of bare: ${isNearBare ? "yes" : "no"}`,
);
finish({
  // A quick run shows that all of it works; its figures prove nothing.
  passed: isQuick || (isFirst && isNearBare),
  isFirst,
  isNearBare,
  cpuOfSameBytes,
  node: node.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  rounds,
  connections,
  results,
});
