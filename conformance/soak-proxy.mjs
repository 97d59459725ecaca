// @ts-check
// npm run soak:proxy -- [--minutes 30] [--rate 2000] [--node PATH] [--quick] [--json]
// A real agent under a mixed load while overrides are made and ended: every answer comes whole, from where it must, and the
// agent's memory stays where it is. A line of progress every 30 s on stderr.
import { resolve } from "node:path";
import { finish, lineWriter, parseFlags, refuse, table, wholeNumber } from "../scripts/command.mjs";
import { nodeVersion } from "../scripts/node-binaries.mjs";
import { mostMiBPerHour } from "./soak-proxy/memory.mjs";
import { soakProxy } from "./soak-proxy/run.mjs";

const command = "soak:proxy";
const quickSeconds = 20;
const quickRate = 500;
/** Of the rate that was asked for. A machine that is busy with others makes up for its stalls; one that cannot shows nothing. */
const leastOfRate = 0.95;

const flags = parseFlags(command, {
  minutes: { type: "string", default: "30" },
  rate: { type: "string" },
  node: { type: "string", default: process.execPath },
});
const isQuick = flags.quick === true;
const minutes = wholeNumber(command, "minutes", flags.minutes, { min: 1, max: 1_440 });
const rate = wholeNumber(command, "rate", flags.rate ?? (isQuick ? quickRate : 2_000), {
  min: 1,
  max: 10_000,
});
// The agent is started elsewhere.
const node = resolve(String(flags.node));
const version = nodeVersion(node) ?? refuse(command, `--node is the path of a Node, not ${node}`);

const write = lineWriter(flags.json === true);
const mib = (/** @type {number | undefined} */ bytes) => ((bytes ?? 0) / 1024 / 1024).toFixed(1);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const report = await soakProxy({
  node,
  rate,
  ms: isQuick ? quickSeconds * 1_000 : minutes * 60_000,
  signal: stop.signal,
  onProgress: ({ seconds, sent, errors, fault, overrides, sample }) => {
    process.stderr.write(
      `${seconds} s: ${sent} sent, ${errors} errors, ${overrides} overrides made and ended, heap ${mib(sample?.heapUsed)} MiB, RSS ${mib(sample?.rss)} MiB${fault === undefined ? "" : `; ${fault}`}\n`,
    );
  },
});
const { errors, memory, stderr, ...rest } = report;
write(
  `Node ${version}, ${report.seconds} s, ${report.perSecond} per second, ${report.overrides} overrides made and ended`,
);
write(table([["sent", "count"], ...Object.entries(report.byKind)]));
write(
  table([
    ["answers", "count"],
    ["right", report.right],
    ["of the wrong side", report.wrongPlace],
    ["with other bytes", report.wrongBytes],
    ["failed", report.failed],
  ]),
);
write(
  table([
    ["agent's memory", "MiB per hour", "at most", "least MiB", "most MiB"],
    ["heap", memory.heapMiBPerHour, mostMiBPerHour.heap, memory.heapMiB.least, memory.heapMiB.most],
    ["resident", memory.rssMiBPerHour, mostMiBPerHour.rss, memory.rssMiB.least, memory.rssMiB.most],
  ]),
);
write(`connections left open: ${report.leftOpen}`);
if (!memory.isJudged) write("too short to judge memory");
for (const fault of report.faults) process.stderr.write(`${fault}\n`);
const isAnswered = errors === 0 && report.right === report.sent && report.leftOpen === 0;
const isFast = isQuick || stop.signal.aborted || report.perSecond >= rate * leastOfRate;
if (!isFast) write(`too slow: ${report.perSecond} per second`);
const passed = isAnswered && isFast && (memory.isFlat || !memory.isJudged);
if (!passed) process.stderr.write(stderr.slice(0, 4_000));
finish({ passed, node: version, rate, errors, ...rest, memory });
