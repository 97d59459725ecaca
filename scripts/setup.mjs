// Says which programs the tests use, and sees to it that they are there: installs those that are missing
// when it is root on Debian, and otherwise says exactly what to install. Exits 1 when something is missing.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const programs = [
  { program: "chromium", package: "chromium", use: "opens previews in the end-to-end tests" },
  { program: "etcd", package: "etcd-server", use: "the shared registry's contract tests" },
  { program: "redis-server", package: "redis-server", use: "the tests of idempotency's shared store" },
  { program: "openssl", package: "openssl", use: "makes the certificates of the tests with TLS" },
];

/** Full path of a program, or undefined. Debian keeps some servers in /usr/sbin, which users lack in PATH. */
function find(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/sbin", "/usr/local/bin"];
  return folders
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false; // absent or not executable: both mean "not here"
      }
    });
}

function install(packages) {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const run = (...args) =>
    spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env: environment });
  process.stdout.write(`setup: installing ${packages.join(", ")} (takes a minute)\n`);
  run("update", "-q");
  return run("install", "-q", "-y", "--no-install-recommends", ...packages).status === 0;
}

const missing = programs.filter(({ program }) => find(program) === undefined);
if (missing.length > 0) {
  const packages = missing.map((entry) => entry.package);
  const canInstall = process.getuid?.() === 0 && existsSync("/etc/debian_version");
  if (!canInstall || !install(packages)) {
    for (const { program, use } of missing) process.stderr.write(`setup: ${program} is missing: ${use}\n`);
    process.stderr.write(
      `setup: on Debian or Ubuntu: sudo apt-get install -y --no-install-recommends ${packages.join(" ")}\n`,
    );
    process.stderr.write("setup: elsewhere: install them by your system's means, so that they are in PATH\n");
    process.exit(1);
  }
}
const absent = programs.filter(({ program }) => find(program) === undefined);
for (const { program, use } of programs)
  process.stdout.write(`setup: ${program}: ${find(program) ?? "missing"} (${use})\n`);
process.exit(absent.length === 0 ? 0 : 1);
