// @ts-check
import { setMaxListeners } from "node:events";
import { fileURLToPath } from "node:url";
import { startProcess } from "@clew/testing";
import { sendBy } from "./load.mjs";

/**
 * How each part's requests come in; the parts themselves are loaded in the service alone.
 * @type {Record<string, keyof typeof sendBy>}
 */
const inboundOf = {
  "http-keep-alive": "keep-alive",
  "http-pipelined": "pipelined",
  "fetch-global": "keep-alive",
  "undici-pool": "pipelined",
  http2: "http2",
  "grpc-cold": "keep-alive",
  batching: "keep-alive",
};
export const partNames = Object.keys(inboundOf);

const inFolder = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

/** @type {import("./labels.cjs").Counts} */
const nothing = { right: 0, wrong: 0, lost: 0 };

/** So that a soak which hangs ends: many times what a start and a request take on a slow machine. */
const startTimeoutMs = 60_000;
const requestTimeoutMs = 5;

/**
 * @param {string} node @param {string[]} args @param {Record<string, string>} env
 */
async function startWithPorts(node, args, env) {
  const child = await startProcess(node, args, { env });
  const line = await child.waitForLine(/^ports /);
  return { child, ports: JSON.parse(line.slice("ports ".length)) };
}

/** @param {number} port */
async function readTally(port) {
  const response = await fetch(`http://127.0.0.1:${port}/tally`, { headers: { connection: "close" } });
  return /** @type {Record<string, import("./labels.cjs").Counts>} */ (await response.json());
}

/**
 * @typedef {object} SoakOptions
 * @property {string} node The Node that the service runs on.
 * @property {number} requests In all, in equal shares for the parts.
 * @property {readonly string[]} parts
 * @property {string | undefined} [control] What carries contexts in the place of Clew: `opentelemetry`.
 */

/**
 * Sends a mix of requests through a service to receivers that check whose context they got.
 * @param {SoakOptions} options
 */
export async function soak({ node, requests, parts, control }) {
  const receivers = await startWithPorts(node, [inFolder("receivers.cjs")], {});
  try {
    const service = await startService(node, receivers.ports, control);
    try {
      const answers = await sendMix(parts, requests, service.ports);
      const tally = await readTally(receivers.ports.http1);
      const reports = answers.map((answer) => ({ ...answer, ...(tally[answer.part] ?? nothing) }));
      return { parts: reports, stderr: service.child.stderr };
    } finally {
      await service.child[Symbol.asyncDispose]();
    }
  } finally {
    await receivers.child[Symbol.asyncDispose]();
  }
}

/**
 * @param {string} node @param {unknown} receivers @param {string | undefined} control
 */
function startService(node, receivers, control) {
  const load =
    control === "opentelemetry"
      ? ["--require", inFolder("opentelemetry.cjs")]
      : ["--import", import.meta.resolve("@clew/node")];
  return startWithPorts(node, [...load, inFolder("service.cjs")], {
    RECEIVERS: JSON.stringify(receivers),
    CLEW_SERVICE: "service",
    CLEW_WARN_MISSING: "0",
    ...(control ? { SOAK_CONTROL: control } : {}),
  });
}

/**
 * All parts at once, each with its share.
 * @param {readonly string[]} parts @param {number} requests @param {{ http1: number, http2: number }} ports
 */
function sendMix(parts, requests, ports) {
  const sent = Math.ceil(requests / parts.length);
  const signal = AbortSignal.timeout(startTimeoutMs + requests * requestTimeoutMs);
  // Each connection listens to it.
  setMaxListeners(0, signal);
  return Promise.all(
    parts.map(async (part) => {
      const inbound = inboundOf[part] ?? "keep-alive";
      const port = inbound === "http2" ? ports.http2 : ports.http1;
      return { part, sent, ...(await sendBy[inbound]({ part, count: sent, port, signal })) };
    }),
  );
}

/** @typedef {Awaited<ReturnType<typeof soak>>["parts"]} PartReports */

/**
 * Every request was answered, and every receiver got the context of the request that it belongs to.
 * @param {PartReports} parts
 */
export function isFaultless(parts) {
  return parts.every(({ sent, answered, right }) => right === sent && answered === sent);
}

/**
 * What a control is there for: contexts of others were seen, at clients that queue by themselves. A batch that was not
 * cured proves nothing against what carries contexts.
 * @param {PartReports} parts
 */
export function isCaught(parts) {
  return parts.some(({ part, wrong }) => part !== "batching" && wrong > 0);
}
