// @ts-check
// How much later a program begins, and how much CPU that takes, as Node itself counts both.
import { execFileSync } from "node:child_process";
import { median, modes } from "./processes.mjs";

/** @typedef {import("./processes.mjs").Mode} Mode */

const script =
  "const { user, system } = process.cpuUsage();" +
  "process.stdout.write(JSON.stringify({ ms: performance.now(), cpuMs: (user + system) / 1000 }));" +
  "process.exit();";

/** @param {{ node: string, rounds: number }} options */
export function measureStartUp({ node, rounds }) {
  const measured = /** @type {Mode[]} */ (["bare", "clew", "otel-http", "otel-auto"]);
  /** @type {Record<string, { ms: number, cpuMs: number }[]>} */
  const samples = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const mode of measured) {
      const args = [...modes[mode].args, "--eval", script];
      samples[mode] ??= [];
      samples[mode].push(JSON.parse(execFileSync(node, args, { encoding: "utf8" })));
    }
  }
  const added = (/** @type {Mode} */ mode, /** @type {"ms" | "cpuMs"} */ key) =>
    median(
      (samples[mode] ?? []).map((sample, round) => sample[key] - (samples["bare"]?.[round]?.[key] ?? 0)),
    );
  return measured
    .filter((mode) => mode !== "bare")
    .map((mode) => ({ mode, addedMs: added(mode, "ms"), addedCpuMs: added(mode, "cpuMs") }));
}
