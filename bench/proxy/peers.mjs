// @ts-check
// The proxies that are compared, and how each is started: one process on the proxies' core.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "@clew/testing";
import { clewYaml, haproxyProxy, nginxBackEnd, nginxProxy } from "./configurations.mjs";
import { cores, startServer } from "./processes.mjs";
import { divertedRoute, largeBytes } from "./request.mjs";
import { manyOverrides } from "./table-source.mjs";

const inFolder = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const clewCommand = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));

/**
 * What peers are started with.
 * @typedef {object} World
 * @property {string} node The Node that those run on that need one.
 * @property {string} folder For configurations and what is built; removed at the end.
 * @property {Record<string, string>} programs Where those of others are.
 * @property {import("./table-source.mjs").TableSource} tables
 */
/** @typedef {{ name: string, folder: string, port: number, backEnd: number }} Place */
/**
 * @typedef {object} Peer
 * @property {string} title
 * @property {readonly string[]} [unable] Loads that it cannot bear.
 * @property {import("./programs.mjs").Program} [program]
 * @property {(world: World, place: Place) => { command: string[], env?: Record<string, string> }} start
 * @property {(world: World, place: Place) => Promise<void>} [prepare] Once it listens.
 */

/** @param {string} file @returns {Peer["start"]} */
const byScript =
  (file) =>
  ({ node }, { port, backEnd }) => ({ command: [node, inFolder(file), String(port), String(backEnd)] });

/** @param {number} overrides @returns {Pick<Peer, "start" | "prepare">} */
const byAgent = (overrides) => ({
  start({ node, tables }, { name, folder, port, backEnd }) {
    const file = join(folder, "clew.yaml");
    writeFileSync(file, clewYaml({ service: name, port, backEnd, manager: tables.port }));
    return { command: [node, clewCommand, "agent", name, "--config", file] };
  },
  prepare: ({ tables }, { name, port }) => tables.use(name, port, overrides),
});

/** In the order of the tables. @type {Record<string, Peer>} */
export const peers = {
  nginx: {
    title: "nginx",
    program: "nginx",
    start: ({ programs }, { folder, port, backEnd }) =>
      nginx(programs, folder, nginxProxy({ folder, port, backEnd })),
  },
  haproxy: {
    title: "HAProxy",
    program: "haproxy",
    start({ programs }, { folder, port, backEnd }) {
      const file = join(folder, "haproxy.cfg");
      writeFileSync(file, haproxyProxy({ port, backEnd }));
      return { command: [programs["haproxy"] ?? "", "-db", "-q", "-f", file] };
    },
  },
  go: {
    title: "Go ReverseProxy",
    program: "go",
    start(world, { port, backEnd }) {
      const marker = `clew-route=${divertedRoute}`;
      const flags = ["-listen", `127.0.0.1:${port}`, "-back-end", `127.0.0.1:${backEnd}`, "-marker", marker];
      return { command: [join(world.folder, "go-proxy"), ...flags], env: { GOMAXPROCS: "1" } };
    },
  },
  "http-proxy": { title: "http-proxy", start: byScript("servers/http-proxy.mjs") },
  "reply-from": {
    title: "@fastify/reply-from",
    // It carries no WebSockets; and it hands the back end's `Connection: keep-alive` on with answers after which it closes.
    unable: ["websocket", "connections"],
    start: byScript("servers/reply-from.mjs"),
  },
  "clew-proxy": { title: "@clew/proxy", start: byScript("servers/clew-proxy.mjs") },
  clew: { title: "clew agent", ...byAgent(0) },
  "clew-10k": { title: "clew agent, 10,000 overrides", ...byAgent(manyOverrides) },
};

/** Built where Go keeps what it has built before. @param {World} world */
export function buildGo({ programs, folder }) {
  const args = ["build", "-o", join(folder, "go-proxy"), inFolder("go/main.go")];
  execFileSync(programs["go"] ?? "", args, { env: { ...process.env, GO111MODULE: "off" }, stdio: "pipe" });
}

/** @param {Record<string, string>} programs @param {string} folder @param {string} configuration */
function nginx(programs, folder, configuration) {
  const file = join(folder, "nginx.conf");
  writeFileSync(file, configuration);
  const directives = "daemon off; master_process off;";
  return { command: [programs["nginx"] ?? "", "-e", "stderr", "-p", folder, "-c", file, "-g", directives] };
}

/**
 * @param {World} world @param {string} name @param {number} backEnd
 * @returns {Promise<import("./processes.mjs").Running>}
 */
export async function startPeer(world, name, backEnd) {
  const peer = peers[name];
  if (peer === undefined) throw new Error(`no proxy is called ${name}`);
  const port = await freePort();
  const folder = newFolder(world, name, port);
  const place = { name, folder, port, backEnd };
  const running = await startServer({ core: cores.proxy, cwd: folder, port, ...peer.start(world, place) });
  try {
    await peer.prepare?.(world, place);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

/** @param {World} world @param {"nginx" | "node"} kind */
export async function startBackEnd(world, kind) {
  const port = await freePort();
  if (kind === "node") {
    const command = [process.execPath, inFolder("back-end.mjs"), String(port)];
    return startServer({ core: cores.load, command, port });
  }
  const folder = newFolder(world, "back-end", port);
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "files", "large"), "l".repeat(largeBytes));
  const { command } = nginx(world.programs, folder, nginxBackEnd({ folder, port }));
  return startServer({ core: cores.load, command, port, cwd: folder });
}

/** @param {World} world @param {string} name @param {number} port */
function newFolder({ folder }, name, port) {
  const own = join(folder, `${name}-${port}`);
  mkdirSync(own);
  return own;
}
