// @ts-check
// Where the Node versions are that something is to be run with. npm puts the newest of the workspace first in PATH,
// so the others are called by path: CLEW_NODE20, CLEW_NODE22, CLEW_NODE24, else what PATH and the workspace hold.
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const workspaceNode = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

/**
 * The version that a file answers, such as `v24.1.0`; undefined where it is absent or no Node.
 * @param {string} file
 * @returns {string | undefined}
 */
export function nodeVersion(file) {
  try {
    accessSync(file, constants.X_OK);
    const version = execFileSync(file, ["--version"], { encoding: "utf8" }).trim();
    return /^v\d+\.\d+\.\d+$/.test(version) ? version : undefined;
  } catch {
    return undefined; // absent or not a program: not a candidate
  }
}

/**
 * A Node of each major version that is at hand, in the order asked for.
 * @param {readonly number[]} majors
 * @returns {{ major: number, file: string, version: string }[]}
 */
export function findNodes(majors) {
  const inPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "node"));
  return majors.flatMap((major) => {
    const named = process.env[`CLEW_NODE${major}`];
    const candidates = [...(named ? [named] : []), process.execPath, workspaceNode, ...inPath];
    for (const file of new Set(candidates)) {
      const version = nodeVersion(file);
      if (version?.startsWith(`v${major}.`)) return [{ major, file, version }];
    }
    return [];
  });
}
