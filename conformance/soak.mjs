// @ts-check
// npm run soak:context -- [--requests 1000000] [--node PATH] [--parts a,b] [--control opentelemetry] [--quick] [--json]
// 1,000 tenants at once through every kind of client that queues, pools or batches: whose context does the receiver get?
// `--control` runs the same with OpenTelemetry, and must find contexts of others, or the soak would not see ours.
import { finish, lineWriter, parseFlags, refuse, table, wholeNumber } from "../scripts/command.mjs";
import { nodeVersion } from "../scripts/node-binaries.mjs";
import { isCaught, isFaultless, partNames, soak } from "./soak/run.mjs";

const command = "soak:context";
const quickRequests = 10_000;

const flags = parseFlags(command, {
  requests: { type: "string", default: "1000000" },
  node: { type: "string", default: process.execPath },
  parts: { type: "string", default: partNames.join(",") },
  control: { type: "string" },
});
const bounds = { min: 100, max: 1_000_000_000 };
const requests = flags.quick ? quickRequests : wholeNumber(command, "requests", flags.requests, bounds);
const node = String(flags.node);
const version = nodeVersion(node) ?? refuse(command, `--node is the path of a Node, not ${node}`);
const parts = String(flags.parts).split(",");
const unknown = parts.filter((part) => !partNames.includes(part));
if (unknown.length > 0) refuse(command, `no part ${unknown.join(", ")}; there are ${partNames.join(", ")}`);
const control = flags.control === undefined ? undefined : String(flags.control);
if (control !== undefined && control !== "opentelemetry") refuse(command, "--control is opentelemetry");

const write = lineWriter(flags.json === true);
const startedAt = performance.now();
const report = await soak({ node, requests, parts, control });
const seconds = Math.round((performance.now() - startedAt) / 1000);
const sum = (/** @type {"sent" | "right" | "wrong" | "lost" | "failed"} */ key) =>
  report.parts.reduce((total, part) => total + part[key], 0);
write(`Node ${version}, ${control ?? "Clew"}, ${seconds} s`);
write(
  table([
    ["part", "sent", "right", "another's", "lost", "failed"],
    ...report.parts.map(({ part, sent, right, wrong, lost, failed }) => [
      part,
      sent,
      right,
      wrong,
      lost,
      failed,
    ]),
  ]),
);
if (report.stderr !== "") process.stderr.write(report.stderr.slice(0, 4_000));
const passed = control === undefined ? isFaultless(report.parts) : isCaught(report.parts);
finish({
  passed,
  node: version,
  carrier: control ?? "clew",
  seconds,
  sent: sum("sent"),
  right: sum("right"),
  wrong: sum("wrong"),
  lost: sum("lost"),
  failed: sum("failed"),
  parts: report.parts,
});
