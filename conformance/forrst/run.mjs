// @ts-check
// Puts cases to a server on one transport.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { bodyOf } from "./cases.mjs";
import { judge, parse } from "./judge.mjs";
import { differences } from "./match.mjs";

/** How long a patient step asks again, and how often. */
const patienceMs = 2_000;
const pauseMs = 10;

/**
 * @typedef {import("./cases.mjs").LoadedCase} LoadedCase
 * @typedef {import("./cases.mjs").Step} Step
 * @typedef {import("./transports.mjs").Transport} Transport
 * @typedef {{ key: string, level: string, page: string, paragraph: string, title: string, faults: string[] }} Report
 */

/** A server that a server under test is made to call: it remembers what came, by the last part of the path. */
export async function startProbe() {
  /** @type {Map<string, { headers: unknown, body: unknown, raw: string }>} */
  const seen = new Map();
  const server = createServer(async (request, response) => {
    const raw = await text(request);
    const body = parse(raw);
    seen.set(String(request.url).slice(1), { headers: request.headers, body, raw });
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        protocol: { name: "forrst", version: "0.1.0" },
        id: body?.id ?? null,
        result: "seen",
      }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    take(/** @type {string} */ key) {
      const request = seen.get(key);
      seen.delete(key);
      return request;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startProbe>>} Probe */

/** Whether a case has a meaning on a transport. @param {LoadedCase} one @param {Transport} transport */
export function isMeantFor({ transports }, transport) {
  if (transports === undefined) return true;
  return transports.includes(transport.name) || (transport.isHttp && transports.includes("HTTP"));
}

/** @param {LoadedCase} one @param {Transport} transport @param {Probe} probe @returns {Promise<Report>} */
export async function runCase(one, transport, probe) {
  const { key, level = "must", page, paragraph, title } = one;
  const faults = [];
  const run = randomUUID();
  /** @type {Promise<string[]>[]} */
  const background = [];
  for (const [index, step] of (one.steps ?? [one]).entries()) {
    const filled = fill(step, run, `${probe.url}/${run}`);
    if (filled.afterMs !== undefined) await wait(filled.afterMs);
    const outcome = runStep(filled, `${one.name}-${index}`, transport, probe, run);
    if (filled.background === true) background.push(outcome);
    else faults.push(...(await outcome));
  }
  for (const outcome of await Promise.all(background)) faults.push(...outcome);
  return { key, level, page, paragraph, title, faults };
}

/** Puts in what differs from run to run. @param {Step} step @param {string} run @param {string} probeUrl @returns {Step} */
function fill(step, run, probeUrl) {
  const filled = JSON.stringify(step).replaceAll("{{run}}", run).replaceAll("{{probe}}", probeUrl);
  return JSON.parse(filled);
}

/** @param {Step} step @param {string} id @param {Transport} transport @param {Probe} probe @param {string} run */
async function runStep(step, id, transport, probe, run) {
  const giveUpAt = performance.now() + (step.patient === true ? patienceMs : 0);
  for (;;) {
    const faults = await askOnce(step, id, transport, probe, run);
    if (faults.length === 0 || performance.now() >= giveUpAt) return faults;
    await wait(pauseMs);
  }
}

/** @param {Step} step @param {string} name @param {Transport} transport @param {Probe} probe @param {string} run */
async function askOnce(step, name, transport, probe, run) {
  const { body, id } = bodyOf(step, name);
  /** @type {Record<string, string>} */
  const headers = {};
  const asked = { "content-type": "application/json", ...step.headers };
  for (const [header, value] of Object.entries(asked)) if (value !== null) headers[header] = value;
  const { downstream, ...expected } = step.expect;
  try {
    const answer = await transport.send({ method: step.method ?? "POST", headers, body });
    const faults = judge(answer, expected, id);
    if (downstream !== undefined) faults.push(...differences(probe.take(run), downstream, "downstream"));
    return faults;
  } catch (error) {
    return [`no answer: ${error instanceof Error ? error.message : String(error)}`];
  }
}
