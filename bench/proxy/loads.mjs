// @ts-check
// What is asked of the proxies, load by load.
import { scriptLoad, wrkLoad } from "./generators.mjs";
import { largeBytes, requestText, smallBytes } from "./request.mjs";

const connections = 64;
/** Requests per second at which latencies are compared: a busy service's, far below what any proxy can do. */
export const fixedRate = 2_000;

/**
 * @typedef {object} Load
 * @property {string} title
 * @property {string} unit What is counted.
 * @property {"nginx" | "node"} backEnd
 * @property {string} [path] What is asked once of each proxy before the load, and how much it has to answer.
 * @property {number} [bytes]
 * @property {(world: import("./peers.mjs").World) => import("./generators.mjs").Generator} generator
 */

/** @param {Partial<Parameters<typeof wrkLoad>[0]> & { path: string }} options @returns {Load["generator"]} */
const byWrk =
  (options) =>
  ({ programs, folder }) =>
    wrkLoad({ wrk: programs["wrk"] ?? "", folder, connections, ...options });

/** @type {Record<string, Load>} */
export const loads = {
  small: {
    title: `${smallBytes} B answers, ${connections} kept connections`,
    unit: "req",
    backEnd: "nginx",
    path: "/small",
    bytes: smallBytes,
    generator: byWrk({ path: "/small" }),
  },
  large: {
    title: `64 KiB answers, ${connections} kept connections`,
    unit: "req",
    backEnd: "nginx",
    path: "/large",
    bytes: largeBytes,
    generator: byWrk({ path: "/large" }),
  },
  upload: {
    title: `64 KiB uploads, ${connections} kept connections`,
    unit: "req",
    backEnd: "node",
    generator: byWrk({ path: "/upload", isUpload: true }),
  },
  connections: {
    title: `a new connection for each request, ${connections} at once`,
    unit: "req",
    backEnd: "nginx",
    path: "/small",
    bytes: smallBytes,
    generator: byWrk({ path: "/small", fields: { closes: true } }),
  },
  websocket: {
    title: `WebSocket messages of 125 B, sent back, ${connections} connections`,
    unit: "msg",
    backEnd: "node",
    generator: () => scriptLoad("websocket-load.mjs", process.execPath, { connections }),
  },
  latency: {
    title: `200 B answers at ${fixedRate} req/s, ${connections} kept connections`,
    unit: "req",
    backEnd: "nginx",
    path: "/small",
    bytes: smallBytes,
    generator: () =>
      scriptLoad("paced-load.mjs", process.execPath, {
        connections,
        rate: fixedRate,
        request: requestText("/small"),
      }),
  },
};
