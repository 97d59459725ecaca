// @ts-check
// The programs of others that are compared or do the asking, and where Debian has them.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Program → Debian's package. */
const packages = { wrk: "wrk", nginx: "nginx-light", haproxy: "haproxy", go: "golang-go" };
/** @typedef {keyof typeof packages} Program */

/** Servers lie where only root's PATH leads. */
const folders = [
  ...(process.env["PATH"] ?? "").split(delimiter),
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/usr/lib/go/bin",
];

/** @param {Program} program @returns {string | undefined} */
function find(program) {
  return folders
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false; // absent or not a program: the next folder
      }
    });
}

/**
 * Where each program is, and what to do about those that are nowhere.
 * @param {readonly Program[]} needed
 */
export function findPrograms(needed) {
  const files = Object.fromEntries(needed.map((program) => [program, find(program)]));
  const missing = needed.filter((program) => files[program] === undefined);
  const advice = `no ${missing.join(", ")} at hand: apt-get install ${missing.map((program) => packages[program]).join(" ")}`;
  return { files: /** @type {Record<string, string>} */ (files), missing, advice };
}

/** How each says its version: nginx and wrk not where others do. @type {Record<Program, string>} */
const versionFlags = { wrk: "-v", nginx: "-v", haproxy: "-v", go: "version" };

/**
 * Program → version, as far as it says one.
 * @param {Record<string, string>} files
 */
export function versionsOf(files) {
  const versions = Object.entries(files).map(([program, file]) => {
    const flag = versionFlags[/** @type {Program} */ (program)];
    const { stdout, stderr } = spawnSync(file, [flag], { encoding: "utf8" });
    return [program, /\d+\.\d+(?:\.\d+)?/.exec(stdout + stderr)?.[0]];
  });
  return Object.fromEntries(versions);
}
