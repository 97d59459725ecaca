// Runs compiled tests with node:test. `node scripts/test.mjs [folder …]`: default all packages, scripts and e2e.
// Files are listed here because Node 20 takes no quoted glob.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
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
    : [...packages, "scripts", "conformance", "e2e/dist"];
const files = folders.flatMap(testFiles);
if (files.length === 0) {
  process.stderr.write(`test: no test files below ${folders.join(", ")}; was it built? (npm run build)\n`);
  process.exit(1);
}
// CLEW_TEST_COUNTS names a file that gets the counts, for whoever runs several rounds.
const counts = process.env.CLEW_TEST_COUNTS ?? join(mkdtempSync(join(tmpdir(), "clew-test-")), "counts");
const test = spawn(
  process.execPath,
  [
    "--enable-source-maps",
    "--test",
    // Two: the machines this must pass on have two cores, and end-to-end tests are processes by the dozen.
    "--test-concurrency=2",
    // A test that hangs has failed, and is named; ten minutes are several times what the slowest file takes.
    "--test-timeout=600000",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=./scripts/count-reporter.mjs",
    `--test-reporter-destination=${counts}`,
    ...files,
  ],
  { cwd: root, stdio: "inherit" },
);
test.on("exit", (code) => {
  const { tests, passed, failed, skipped } = JSON.parse(readFileSync(counts, "utf8"));
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  const complete = code === 0 && failed === 0 && tests > 0;
  process.exitCode = complete ? 0 : 1;
});
