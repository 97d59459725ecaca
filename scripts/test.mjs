// Runs compiled tests with node:test. `node scripts/test.mjs [folder …]`: default all packages, scripts and e2e.
// Files are listed here because Node 20 takes no quoted glob.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const asked = process.argv.slice(2);

/** Test files below a folder of the workspace: compiled ones from dist, scripts as they are. */
function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.test\.m?js$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes("node_modules"))
    .toSorted();
}

const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/dist`);
const folders =
  asked.length > 0
    ? asked.map((name) => (name === "e2e" ? "e2e/dist" : name))
    : [...packages, "scripts", "e2e/dist"];
const files = folders.flatMap(testFiles);
if (files.length === 0) {
  process.stderr.write(`test: no test files below ${folders.join(", ")}; was it built? (npm run build)\n`);
  process.exit(1);
}
const test = spawn(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-reporter=spec", "--test-concurrency=2", ...files],
  { cwd: root, stdio: "inherit" },
);
test.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
