// @ts-check
// npm run matrix:node -- [--only express,undici] [--quick] [--json]
// The oldest and newest versions of the libraries that services are made with, each on Node 20, 22 and 24: the tenant
// arrives, stays and leaves, and the caller is right. The full run writes the table of docs/reference/versions.md.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startUpstream } from "@clew/testing";
import { finish, lineWriter, parseFlags, refuse, table } from "../scripts/command.mjs";
import { findNodes } from "../scripts/node-binaries.mjs";
import { libraries } from "./matrix/libraries.mjs";
import { install, isMeantFor, tryLibrary } from "./matrix/try-library.mjs";

const command = "matrix:node";
const majors = [20, 22, 24];
const page = fileURLToPath(new URL("../docs/reference/versions.md", import.meta.url));
const markers = { start: "<!-- matrix -->", end: "<!-- /matrix -->" };

const flags = parseFlags(command, { only: { type: "string" } });
const isQuick = flags.quick === true;
const names = [...new Set(libraries.map(({ app }) => app))];
const only = flags.only === undefined ? names : String(flags.only).split(",");
const unknown = only.filter((name) => !names.includes(name));
if (unknown.length > 0) refuse(command, `--only takes ${names.join(", ")}, not ${unknown.join(", ")}`);
const nodes = findNodes(isQuick ? [24] : majors);
const missing = (isQuick ? [24] : majors).filter((major) => !nodes.some((node) => node.major === major));
if (missing.length > 0) {
  refuse(command, `no Node ${missing.join(", ")} at hand; CLEW_NODE${missing[0]}=/path/to/node names one`);
}

const write = lineWriter(flags.json === true);
/** @type {{ name: string, version: string, cells: Record<number, "yes" | "no" | "–"> }[]} */
const rows = [];
/** @type {string[]} */
const faults = [];
const receiver = await startUpstream({
  handle: (request, response) => response.end(JSON.stringify({ headers: request.headers })),
});
const isNewest = (/** @type {number} */ index) =>
  index === libraries.findLastIndex(({ name }) => name === libraries[index]?.name);
const chosen = libraries.filter(({ app }, index) => only.includes(app) && (!isQuick || isNewest(index)));
for (const library of chosen) {
  const ranges = isQuick ? library.ranges.slice(-1) : library.ranges;
  for (const range of ranges) {
    const { folder, version, engines } = install(library, range);
    /** @type {Record<number, "yes" | "no" | "–">} */
    const cells = {};
    for (const { major, file, version: nodeVersion } of nodes) {
      if (!isMeantFor(engines, nodeVersion)) {
        cells[major] = "–";
        continue;
      }
      const found = await tryLibrary({ node: file, app: library.app, folder, receiver: receiver.url });
      cells[major] = found.length === 0 ? "yes" : "no";
      if (found.length > 0) {
        faults.push(
          `${library.name}@${version} on Node ${major}: ${found.length} faults, the first: ${found[0]}`,
        );
      }
    }
    rmSync(folder, { recursive: true, force: true });
    rows.push({ name: library.name, version, cells });
    write(`${library.name}@${version}: ${nodes.map(({ major }) => `${major} ${cells[major]}`).join(", ")}`);
  }
}
await receiver[Symbol.asyncDispose]();

const columns = nodes.map(({ major }) => major);
write("");
write(
  table([
    ["library", "version", ...columns.map((major) => `Node ${major}`)],
    ...rows.map(({ name, version, cells }) => [name, version, ...columns.map((major) => cells[major] ?? "")]),
  ]),
);
for (const fault of faults) write(fault);
if (!isQuick && only.length === names.length) writePage();
finish({ passed: faults.length === 0, nodes: nodes.map(({ version }) => version), rows, faults });

function writePage() {
  const text = readFileSync(page, "utf8");
  const [before, rest] = text.split(markers.start);
  const after = rest?.split(markers.end)[1];
  if (after === undefined) throw new Error(`${page} has lost its markers ${markers.start} … ${markers.end}`);
  const lines = [
    `| library | version | ${nodes.map(({ version }) => `Node ${version.slice(1)}`).join(" | ")} |`,
    `| --- | --- | ${nodes.map(() => "---").join(" | ")} |`,
    ...rows.map(
      ({ name, version, cells }) =>
        `| ${name} | ${version} | ${columns.map((major) => cells[major]).join(" | ")} |`,
    ),
  ];
  writeFileSync(page, `${before}${markers.start}\n\n${lines.join("\n")}\n\n${markers.end}${after}`);
}
