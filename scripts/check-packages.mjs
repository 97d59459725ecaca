// What would be published, package by package: publint for the manifest, attw for the types.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
let failed = 0;
for (const name of readdirSync(join(root, "packages"))) {
  const folder = join(root, "packages", name);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const checks = [["publint", "run", folder, "--strict", "--pack", "npm"]];
  if (exports) checks.push(["attw", "--pack", folder, "--profile", "esm-only", "--format", "ascii", "-q"]);
  for (const [command, ...args] of checks) {
    const result = spawnSync(command, args, { cwd: root, encoding: "utf8" });
    if (result.status === 0) continue;
    failed += 1;
    process.stderr.write(`${name}: ${command}\n${result.stdout}${result.stderr}\n`);
  }
}
process.stdout.write(
  failed === 0 ? "package-shape: every package is as it should be\n" : `package-shape: ${failed} faults\n`,
);
process.exit(failed === 0 ? 0 : 1);
