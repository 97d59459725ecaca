// @ts-check
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess } from "@clew/testing";

const app = fileURLToPath(new URL("service.cjs", import.meta.url));
const service = "matrix";
/** Enough that they are under way together. */
const requestCount = 40;

/** @typedef {{ folder: string, version: string, engines: string }} Installed */

/**
 * Installs a library into a temporary folder of its own, which the caller removes.
 * @param {import("./libraries.mjs").Library} library @param {string} range
 * @returns {Installed}
 */
export function install({ name, beside = {} }, range) {
  const folder = mkdtempSync(join(tmpdir(), "clew-matrix-"));
  const dependencies = { [name]: range, ...beside };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", "--loglevel=error"];
  const { status, stderr } = spawnSync("npm", ["install", ...flags], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm install ${name}@${range}: ${stderr}`);
  const manifest = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"));
  return { folder, version: manifest.version, engines: manifest.engines?.node ?? "" };
}

/**
 * Whether a library says that it runs on a Node; of version ranges only `>=` and `^` are understood, which all use.
 * @param {string} engines @param {string} version
 */
export function isMeantFor(engines, version) {
  const own = version.slice(1).split(".").map(Number);
  const ranges = [...engines.matchAll(/(>=|\^)\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?/g)];
  return (
    ranges.length === 0 ||
    ranges.some(([, operator, ...numbers]) => {
      const least = numbers.map((number) => Number(number ?? 0));
      if (operator === "^" && own[0] !== least[0]) return false;
      const differing = own.findIndex((number, index) => number !== least[index]);
      return differing < 0 || Number(own[differing]) > Number(least[differing]);
    })
  );
}

/**
 * Sends requests of many tenants at once to a service made with the library. Returns what was wrong, one line each.
 * @param {{ node: string, app: string, folder: string, receiver: string }} options
 * @returns {Promise<string[]>}
 */
export async function tryLibrary({ node, app: name, folder, receiver }) {
  const child = await startProcess(node, ["--import", import.meta.resolve("@clew/node"), app], {
    env: { APP: name, LIBRARIES: folder, RECEIVER: receiver, CLEW_SERVICE: service },
  });
  try {
    const [, port] = (await child.waitForLine(/^port \d+$/)).split(" ");
    const faults = await Promise.all(
      Array.from({ length: requestCount }, (_, index) => tryTenant(`http://127.0.0.1:${port}/`, `t${index}`)),
    );
    return faults.flat();
  } catch (error) {
    return [`${error instanceof Error ? error.message : error}\n${child.stderr}`];
  } finally {
    await child[Symbol.asyncDispose]();
  }
}

/** @param {string} url @param {string} tenant */
async function tryTenant(url, tenant) {
  const response = await fetch(url, {
    method: "POST",
    body: "{}",
    headers: {
      "content-type": "application/json",
      baggage: `tenant_id=${tenant}`,
      "x-forrst-caller": "client",
    },
  });
  const text = await response.text();
  if (!response.ok) return [`${response.status} ${text}`];
  const { before, after, reached } = JSON.parse(text);
  const faults = [];
  if (before !== tenant) faults.push(`the context of ${tenant} did not arrive, but ${before}`);
  if (after !== tenant) faults.push(`the context of ${tenant} did not stay, but ${after}`);
  for (const [call, { headers }] of reached.entries()) {
    const { baggage, "x-forrst-caller": caller, "tenant-in-handler": inHandler = tenant } = headers;
    if (baggage !== `tenant_id=${tenant}`) faults.push(`call ${call} of ${tenant} carried ${baggage}`);
    if (caller !== service) faults.push(`call ${call} names ${caller} as its caller`);
    if (inHandler !== tenant) faults.push(`call ${call} of ${tenant} was served as ${inHandler}`);
  }
  return faults;
}
