// Runs the packages' own tests on the oldest Node that is supported, where its binary is at hand: the one that
// npm itself runs on, or CLEW_NODE20. npm puts the newer binary of the workspace first in PATH, so it is called by path.
import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Where oldest and newest differ most: module hooks, HTTP internals, tunnels, the whole command. */
const folders = ["errors", "wire", "context", "routing", "node", "rpc", "tunnel", "proxy"];

/** Every `node` in PATH outside of the workspace. */
function candidates() {
  const folders = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes("node_modules"));
  return [process.env.CLEW_NODE20, ...folders.map((folder) => join(folder, "node"))].filter(Boolean);
}

function versionOf(file) {
  try {
    accessSync(file, constants.X_OK);
    return execFileSync(file, ["--version"], { encoding: "utf8" }).trim();
  } catch {
    return undefined; // absent or not a program: not a candidate
  }
}

const node20 = candidates().find((file) => versionOf(file)?.startsWith("v20."));
if (node20 === undefined) {
  process.stdout.write("smoke-node20: no Node 20 on this machine; name one with CLEW_NODE20=/path/to/node\n");
  process.exit(process.env.CI === "true" ? 1 : 0);
}
process.stdout.write(`smoke-node20: ${node20} ${versionOf(node20)}\n`);
const { status } = spawnSync(
  node20,
  ["scripts/test.mjs", ...folders.map((name) => `packages/${name}/dist`), "e2e/dist/smoke"],
  { cwd: root, stdio: "inherit" },
);
process.exit(status ?? 1);
