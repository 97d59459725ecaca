// Everything that must hold, cold, one step after the other; stops at the first that fails.
import { spawnSync } from "node:child_process";
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

for (const [index, [name, what]] of steps.entries()) {
  const startedAt = performance.now();
  process.stdout.write(`\n[${index + 1}/${steps.length}] ${name}: ${what}\n`);
  const { status } = spawnSync("npm", ["run", "--silent", name], { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (status !== 0) {
    process.stderr.write(`\nverify: ${name} failed after ${seconds} s. Alone: npm run ${name}\n`);
    process.exit(1);
  }
  process.stdout.write(`[${index + 1}/${steps.length}] ${name}: ok, ${seconds} s\n`);
}
process.stdout.write("\nverify: all steps passed\n");
