// Everything that must hold, cold, one step after the other; stops at the first that fails.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const steps = [
  ["clean", "remove what earlier builds left"],
  ["layers", "floors, dependencies and references agree"],
  ["build", "types"],
  ["lint", "format, lint, floating promises"],
  ["dead-code", "nothing unused"],
  ["package-shape", "what would be published"],
  ["docs:check", "pages and code agree"],
  ["test:only", "tests, end to end included"],
  ["test:node20", "smoke test on Node 20"],
];

const counts = mkdtempSync(join(tmpdir(), "clew-verify-"));
const countsOf = (name) => join(counts, name.replaceAll(":", "-"));

for (const [index, [name, what]] of steps.entries()) {
  const startedAt = performance.now();
  process.stdout.write(`\n[${index + 1}/${steps.length}] ${name}: ${what}\n`);
  const { status } = spawnSync("npm", ["run", "--silent", name], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, CLEW_TEST_COUNTS: countsOf(name) },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (status !== 0) {
    process.stderr.write(`\nverify: ${name} failed after ${seconds} s. Alone: npm run ${name}\n`);
    process.exit(1);
  }
  process.stdout.write(`[${index + 1}/${steps.length}] ${name}: ok, ${seconds} s\n`);
}
const rounds = steps
  .map(([name]) => countsOf(name))
  .filter((file) => existsSync(file))
  .map((file) => JSON.parse(readFileSync(file, "utf8")));
const sum = (counter) => rounds.reduce((total, round) => total + round[counter], 0);
process.stdout.write("\nverify: all steps passed; tests on Node 24 and Node 20 together:\n");
process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped\n`);
