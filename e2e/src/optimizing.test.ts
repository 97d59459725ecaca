import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort, startProcess, temporaryDirectory, until } from "@clew/testing";

const bin = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));

/** In every process of a command: asked by a file, it says in another whether V8 optimizes what is called often. Bit 6 says so. */
const probe = `
import { existsSync, writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
setFlagsFromString("--allow-natives-syntax");
const statusOf = new Function("fn", "return %GetOptimizationStatus(fn)");
const sum = new Function("count", "let sum = 0; for (let at = 0; at < count; at++) sum += at % 7; return sum;");
const timer = setInterval(async () => {
  if (!existsSync("ask")) return;
  clearInterval(timer);
  let isOptimized = false;
  for (let round = 0; round < 300 && !isOptimized; round++) {
    for (let call = 0; call < 1_000; call++) sum(100);
    isOptimized = (statusOf(sum) & 64) !== 0;
    await new Promise(setImmediate);
  }
  writeFileSync("answer-" + process.pid, String(isOptimized));
}, 50).unref();
`;

for (const [title, flags, processes] of [
  ["an agent", [], 1],
  ["an agent's workers, and the process that hands them their connections", ["--workers", "2"], 3],
] as const) {
  test(`${title}: V8 optimizes what is called often once it serves`, async () => {
    await using folder = await temporaryDirectory();
    const [managerPort, port] = [await freePort(), await freePort()];
    await writeFile(
      join(folder.path, "clew.yaml"),
      `manager: { listen: "127.0.0.1:${managerPort}" }
services:
  web: { ports: { http: { listen: "127.0.0.1:${port}", upstream: "127.0.0.1:1" } } }
`,
    );
    await writeFile(join(folder.path, "probe.mjs"), probe);
    await using agent = await startProcess(process.execPath, [bin, "agent", "--json", ...flags], {
      cwd: folder.path,
      env: {
        XDG_STATE_HOME: join(folder.path, "xdg"),
        NODE_OPTIONS: `--import ${join(folder.path, "probe.mjs")}`,
      },
    });
    await agent.waitForLine('"event":"up"', 60_000);
    await writeFile(join(folder.path, "ask"), "");
    const answers = await until(async () => {
      const names = (await readdir(folder.path)).filter((name) => name.startsWith("answer-"));
      const texts = await Promise.all(names.map((name) => readFile(join(folder.path, name), "utf8")));
      return texts.length === processes && texts.every((text) => text !== "") && texts;
    });
    assert.deepEqual(new Set(answers), new Set(["true"]));
  });
}
