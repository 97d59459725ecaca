// @ts-check
// The proxy as a black box: what it refuses gets its status and a closed connection, and nothing of it reaches the upstream; what it
// takes arrives as it was sent.

import { startProxy, tcpUpstream } from "@clew/proxy";
import { rawClient, until } from "@clew/testing";
import { startAnswerer } from "./answerer.mjs";
import { startRecorder } from "./recorder.mjs";
import { lowerNames, unequal } from "./understanding.mjs";

/** @typedef {import("./cases.mjs").LoadedCase} LoadedCase */

/** How long the proxy may take; only one that waits for more bytes does. */
const patienceMs = 5_000;

/**
 * Something that forwards to a port, how it is stopped, and when nothing is under way in it.
 * @typedef {{ port: number, close: () => Promise<void>, settled: () => Promise<unknown> }} Forwarder
 */

/** @param {number} upstreamPort @returns {Promise<Forwarder>} */
async function proxyTo(upstreamPort) {
  const upstream = tcpUpstream("127.0.0.1", upstreamPort);
  let underWay = 0;
  const done = () => {
    underWay--;
  };
  const proxy = await startProxy({
    listen: { host: "127.0.0.1", port: 0 },
    route: () => {
      underWay++;
      return { upstream, done };
    },
  });
  return {
    port: proxy.address.port,
    close: () => proxy.close({ graceMs: 0 }),
    settled: async () => {
      await until(() => underWay === 0, {
        timeoutMs: patienceMs,
        what: "the proxy to be done with a request",
      });
      // What it wrote last is read by its upstream in the next turns.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/**
 * Starts the proxy between us and upstreams that remember, and that answer, plain bytes.
 * @param {(upstreamPort: number) => Promise<Forwarder>} [start]
 */
export async function startBlackBox(start = proxyTo) {
  const recorder = await startRecorder();
  const answerer = await startAnswerer();
  const forwards = await start(recorder.port);
  const backwards = await start(answerer.port);
  return {
    ...{ recorder, answerer, forwards, backwards },
    /**
     * Puts a case to it, whole and cut in two, and says what was wrong.
     * @param {LoadedCase} one @param {number} [timeoutMs] How long it may take.
     * @returns {Promise<string[]>}
     */
    async check(one, timeoutMs = patienceMs) {
      if (one.unfinished === true) return [];
      const faults = [];
      for (const cut of cutsOf(one.bytes)) {
        const found =
          one.side === "answer"
            ? await checkAnswer(one, cut, backwards.port, answerer, timeoutMs)
            : await checkRequest(one, cut, forwards.port, recorder, timeoutMs);
        faults.push(...found.map((fault) => (cut === 0 ? fault : `cut at ${cut}: ${fault}`)));
      }
      return faults;
    },
    async close() {
      await forwards.close();
      await backwards.close();
      await recorder.close();
      await answerer.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startBlackBox>>} BlackBox */

/** Whole, and in the middle. @param {Buffer} bytes */
const cutsOf = (bytes) => (bytes.length > 2 ? [0, bytes.length >> 1] : [0]);

/**
 * Sends bytes and waits until what is awaited came, or the connection ended.
 * @param {number} port @param {Buffer} bytes @param {readonly number[]} cuts @param {(received: Buffer) => boolean} isEnough
 * @param {number} [timeoutMs]
 */
export async function exchange(port, bytes, cuts, isEnough, timeoutMs = patienceMs) {
  const client = await rawClient(port);
  try {
    await client.writeCut(bytes, cuts);
    await client.waitFor(isEnough, timeoutMs);
    return { received: client.received, text: client.received.toString("latin1"), ended: false };
  } catch {
    const ended = client.socket.readableEnded || client.socket.destroyed;
    return { received: client.received, text: client.received.toString("latin1"), ended };
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

/**
 * @param {LoadedCase} one @param {number} cut @param {number} port @param {import("./recorder.mjs").Recorder} recorder
 * @param {number} timeoutMs
 * @returns {Promise<string[]>}
 */
async function checkRequest(one, cut, port, recorder, timeoutMs) {
  recorder.take();
  if (one.refuse !== undefined) return checkRefusal(one, cut, port, recorder, timeoutMs);
  const expected = (one.accept ?? []).filter(({ method }) => method !== "CONNECT");
  const answers = (/** @type {Buffer} */ received) =>
    received.toString("latin1").split("HTTP/1.1 ").length - 1;
  const { text } = await exchange(
    port,
    one.bytes,
    cut === 0 ? [] : [cut],
    (received) => answers(received) >= expected.length,
  );
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d\d\d)/gm)].map(([, status]) => status);
  const { messages } = recorder.take();
  if (statuses.length !== expected.length || statuses.some((status) => status !== "200")) {
    return [`answered with ${statuses.join(", ") || "nothing"}, not with ${expected.length} × 200`];
  }
  return expected.flatMap((message, index) => {
    const came = messages[index];
    if (came === undefined) return [`request ${index + 1} did not reach the upstream`];
    const trailers = lowerNames(message.trailers ?? []);
    const wanted = { ...came, ...message, body: message.body ?? "", trailers };
    return unequal(wanted, came, ["method", "target", "body", "trailers"]);
  });
}

/**
 * @param {LoadedCase} one @param {number} cut @param {number} port @param {import("./recorder.mjs").Recorder} recorder
 * @param {number} timeoutMs
 * @returns {Promise<string[]>}
 */
async function checkRefusal(
  { bytes, after = [], where = "head", status = 400 },
  cut,
  port,
  recorder,
  timeoutMs,
) {
  const faults = [];
  const { text, ended } = await exchange(port, bytes, cut === 0 ? [] : [cut], () => false, timeoutMs);
  if (!ended) faults.push("the connection is left open");
  const [head = ""] = text.slice(text.lastIndexOf("HTTP/1.1 ")).split("\r\n\r\n");
  // With answers of earlier requests under way, one of its own may have no place.
  if (after.length === 0 || text !== "") {
    const came = /^HTTP\/1\.1 (\d\d\d)/.exec(head)?.[1];
    if (after.length === 0 && came !== String(status))
      faults.push(`answered with ${came ?? "nothing"}, not with ${status}`);
    if (came !== undefined && came !== "200" && !/\r\nconnection: close/i.test(head)) {
      faults.push("the answer does not say that the connection closes");
    }
  }
  // What was begun at the upstream is broken off.
  await until(() => recorder.connections.every((connection) => connection.ended) || where === "head", {
    timeoutMs,
  }).catch(() => faults.push("the upstream's connection is left open"));
  const { messages, connections } = recorder.take();
  const came = Buffer.concat(connections.map((connection) => connection.bytes));
  if (messages.length > after.length) faults.push(`${messages.length} whole requests reached the upstream`);
  if (where === "head" && after.length === 0 && came.length > 0) {
    faults.push(`${came.length} bytes reached the upstream`);
  }
  return faults;
}

/**
 * @param {LoadedCase} one @param {number} cut @param {number} port
 * @param {import("./answerer.mjs").Answerer} answerer
 * @param {number} timeoutMs
 * @returns {Promise<string[]>}
 */
async function checkAnswer(one, cut, port, answerer, timeoutMs) {
  answerer.answer = { bytes: one.bytes, cut, ends: one.ends === true };
  const { method = "GET", refuse, where = "head", status = 502, accept = [] } = one;
  const request = Buffer.from(`${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  const { text, ended } = await exchange(port, request, [], () => false, timeoutMs);
  if (!ended) return ["the connection is left open"];
  if (refuse === undefined) {
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d\d\d)/gm)].map(([, came]) => Number(came));
    const wanted = accept.map((answer) => answer.status);
    const faults =
      String(statuses) === String(wanted) ? [] : [`answered with ${statuses}, not with ${wanted}`];
    const body = one.bytes.subarray(one.bytes.lastIndexOf("\r\n\r\n", -5)).toString("latin1");
    if (!text.endsWith(body)) faults.push(`the answer ends with ${JSON.stringify(text.slice(-100))}`);
    return faults;
  }
  if (where === "body") return text.endsWith("0\r\n\r\n") ? ["a broken answer looks whole"] : [];
  return text.startsWith(`HTTP/1.1 ${status} `) ? [] : [`answered with ${JSON.stringify(text.slice(0, 60))}`];
}
