// @ts-check
// Sends inputs to our server in a process with little memory, and judges every answer.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startProcess } from "@clew/testing";
import { judge, parse } from "../forrst/judge.mjs";
import { isObject } from "../forrst/match.mjs";
import { openTransport } from "../forrst/transports.mjs";
import { sampleInputs } from "./inputs.mjs";

/** Inputs made at once: enough to keep the server busy, few enough to be kept. */
const batchSize = 1_000;
/** Requests under way at once. */
const concurrency = 16;
/** Megabytes of old objects that the server may keep: many times what a body at its limit needs, and then it dies. */
const heapMegabytes = 64;
/** What the whole server may need at its highest: its heap, Node itself, bodies under way, and what allocators do not give back. */
const maxPeakBytes = 384 * 1_024 * 1_024;
/** After so many the run ends: more of them help nobody. */
const maxFaults = 10;

/** @typedef {{ input: number, base64: string, faults: string[] }} Finding */

/**
 * @param {{ node: string, count: number, seed: number, onBatch?: (done: number) => void }} options
 */
export async function fuzz({ node, count, seed, onBatch }) {
  const file = fileURLToPath(new URL("../forrst-server.mjs", import.meta.url));
  const server = await startProcess(node, [`--max-old-space-size=${heapMegabytes}`, file]);
  try {
    const [url] = JSON.parse((await server.waitForLine(/^urls /)).slice("urls ".length));
    const transport = openTransport(url);
    if (transport === undefined) throw new Error(`no transport for ${url}`);
    /** @type {Finding[]} */
    const findings = [];
    /** @type {Map<string, number>} */
    const outcomes = new Map();
    const startedAt = performance.now();
    for (let done = 0; done < count && findings.length < maxFaults; done += batchSize) {
      const inputs = sampleInputs(seed + done, Math.min(batchSize, count - done));
      await sendAll(inputs, transport, (index, outcome, faults) => {
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        const base64 = (inputs[index] ?? Buffer.alloc(0)).toString("base64");
        if (faults.length > 0 && findings.length < maxFaults)
          findings.push({ input: done + index, base64, faults });
      });
      onBatch?.(done + inputs.length);
    }
    transport.close();
    const seconds = (performance.now() - startedAt) / 1_000;
    const peakBytes = peakMemory(server.pid);
    const passed = findings.length === 0 && (peakBytes === undefined || peakBytes < maxPeakBytes);
    const codes = Object.fromEntries([...outcomes].toSorted(([, a], [, b]) => b - a));
    return { passed, count, seed, seconds: Math.round(seconds), peakBytes, maxPeakBytes, codes, findings };
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

/**
 * @param {Buffer[]} inputs @param {import("../forrst/transports.mjs").Transport} transport
 * @param {(index: number, outcome: string, faults: string[]) => void} report
 */
async function sendAll(inputs, transport, report) {
  let next = 0;
  const sendSome = async () => {
    for (let index = next++; index < inputs.length; index = next++) {
      const { outcome, faults } = await send(inputs[index] ?? Buffer.alloc(0), transport);
      report(index, outcome, faults);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, sendSome));
}

/** @param {Buffer} body @param {import("../forrst/transports.mjs").Transport} transport */
async function send(body, transport) {
  try {
    const headers = { "content-type": "application/json" };
    const answer = await transport.send({ method: "POST", headers, body });
    if (answer.headers["content-type"] === "text/event-stream") return { outcome: "a stream", faults: [] };
    const document = parse(answer.body.toString("utf8"));
    const errors = isObject(document) && Array.isArray(document["errors"]) ? document["errors"] : [];
    const outcome = errors.length === 0 ? "a result" : String(errors[0]?.code);
    return { outcome, faults: [...judge(answer, { anyOutcome: true }, undefined), ...unexpected(outcome)] };
  } catch (error) {
    return { outcome: "no answer", faults: [`no answer: ${String(error)}`] };
  }
}

/** No input may make the server fail in a way that it did not foresee. @param {string} outcome */
function unexpected(outcome) {
  return outcome === "INTERNAL_ERROR" || outcome === "UNAVAILABLE" ? [`answered with ${outcome}`] : [];
}

/** The most memory that a process ever had, where the system tells it. @param {number} pid */
function peakMemory(pid) {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return match === null ? undefined : Number(match[1]) * 1_024;
  } catch {
    return undefined; // not Linux: the bound of the heap has to do
  }
}
