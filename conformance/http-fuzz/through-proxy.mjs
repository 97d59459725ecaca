// @ts-check
// Generated and damaged messages through the running proxy: what reaches the other side is what our parser understands by itself, and
// of what it refuses nothing that could be taken for whole.
import { readMessage } from "@clew/testing";
import { escaped } from "../http/cases.mjs";
import { readOurselves } from "../http/run.mjs";
import { exchange, startBlackBox } from "../http/through-proxy.mjs";
import { unequal } from "../http/understanding.mjs";
import { inputOf } from "./inputs.mjs";

/** After so many the run ends: more of them help nobody. */
const maxFindings = 10;

/**
 * @typedef {import("./inputs.mjs").Input} Input
 * @typedef {import("../http/understanding.mjs").Understanding} Understanding
 * @typedef {import("../http/understanding.mjs").Message} Message
 * @typedef {import("../http/through-proxy.mjs").BlackBox} BlackBox
 */

/** @param {{ count: number, seed: number, from?: number, every?: number }} options `every`: each so-manieth input of the seed. */
export async function fuzzThroughProxy({ count, seed, from = 0, every = 1 }) {
  const box = await startBlackBox();
  const findings = [];
  /** @type {Record<string, number>} */
  const outcomes = {};
  let done = 0;
  for (; done < count && findings.length < maxFindings; done++) {
    const number = from + done * every;
    const input = inputOf(seed, number);
    const ours = readOurselves(input);
    const outcome = `${input.side}: ${ours.end === "refused" ? "refused" : "taken"}`;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    const faults =
      input.side === "request" ? await forwards(input, ours, box) : await backwards(input, ours, box);
    if (faults.length > 0)
      findings.push({ input: number, bytes: escaped(input.bytes), cuts: input.cuts, faults });
  }
  await box.close();
  return { passed: findings.length === 0, count: done, seed, outcomes, findings };
}

/** @param {Input} input @param {Understanding} ours @param {BlackBox} box @returns {Promise<string[]>} */
async function forwards({ bytes, cuts }, ours, { forwards: { port, settled }, recorder }) {
  recorder.take();
  const whole = ours.messages.filter(({ complete, method }) => complete && method !== "CONNECT");
  const refuses = ours.end === "refused" || ours.messages.some(({ method }) => method === "CONNECT");
  const answers = (/** @type {Buffer} */ received) => statusesOf(received).length;
  const { received, ended } = await exchange(
    port,
    bytes,
    cuts,
    (came) => !refuses && answers(came) >= whole.length,
  );
  await settled();
  const { messages, connections } = recorder.take();
  const faults = messages.flatMap((came, index) => {
    const wanted = whole[index];
    // Behind an upgrade that is not asked of the upstream requests go on, and ours stops reading.
    if (wanted === undefined && ours.end === "upgrade") return [];
    if (wanted === undefined)
      return [`request ${index + 1} reached the upstream: ${came.method} ${came.target}`];
    return unequal(passedOn(wanted), passedOn(came), ["method", "target", "headers", "body", "trailers"]);
  });
  const statuses = statusesOf(received);
  if (refuses) {
    if (!ended) faults.push("refused by the parser, but the connection is left open");
    // Its own answer, or the end where earlier ones had not been given.
    if (messages.length === 0 && whole.length === 0 && !/^4\d\d$/.test(statuses[0] ?? "")) {
      faults.push(`refused by the parser, but answered with ${statuses.join(", ") || "nothing"}`);
    }
    if (ours.messages.length === 0 && connections.length > 0) faults.push("bytes of it reached the upstream");
  } else {
    // A connection of HTTP/1.0 may be ended although it asked to be kept.
    const endsEarly = ended && whole[messages.length - 1]?.version === "1.0";
    const isAllThere = messages.length === whole.length || endsEarly || ours.end === "upgrade";
    if (isAllThere && statuses.every((status) => status === "200")) return faults;
    faults.push(
      `${messages.length} of ${whole.length} requests arrived, answered with ${statuses.join(", ") || "nothing"}`,
    );
  }
  return faults;
}

/** @param {Buffer} received */
const statusesOf = (received) =>
  [...received.toString("latin1").matchAll(/^HTTP\/1\.1 (\d\d\d)/gm)].map(([, status]) => status ?? "");

/** Lines for one hop, which do not go on. Source: RFC 9110 §7.6.1. */
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "te", "upgrade"]);
/** What `connection` may not take away. */
const stays = new Set(["host", "content-length", "transfer-encoding"]);

/** @param {Message} message @returns {Message} */
function passedOn(message) {
  const named = message.headers
    .filter(([name]) => name === "connection")
    .flatMap(([, value]) => value.split(",").map((token) => token.trim().toLowerCase()));
  const gone = new Set([...hopByHop, ...named.filter((name) => !stays.has(name))]);
  // HTTP/1.0 needs no host; HTTP/1.1, which we speak to the upstream, does.
  const headers = message.headers.filter(
    ([name, value]) => !gone.has(name) && !(name === "host" && value === ""),
  );
  return { ...message, headers };
}

/** @param {Input} input @param {Understanding} ours @param {BlackBox} box @returns {Promise<string[]>} */
async function backwards({ bytes, cuts, method = "GET" }, ours, { backwards: { port }, answerer }) {
  if (ours.messages.some(({ status }) => status === 101)) return [];
  answerer.answer = { bytes, cut: cuts[0] ?? 0, ends: true };
  const request = Buffer.from(
    `${method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  const { received, ended } = await exchange(port, request, [], () => false);
  if (!ended) return ["the connection is left open"];
  const final = ours.messages.at(-1);
  const came = answerIn(received, method);
  if (final?.complete === true && (final.status ?? 0) >= 200) {
    if (came === undefined) return [`the answer did not come: ${escaped(received).slice(0, 200)}`];
    return [
      ...(came.status === final.status ? [] : [`status ${final.status} came as ${came.status}`]),
      ...(came.body === final.body
        ? []
        : [`body ${JSON.stringify(final.body)} came as ${JSON.stringify(came.body)}`]),
    ];
  }
  // Not whole to us: not to the client either, or an answer that says so.
  if (came === undefined || came.status === 502) return [];
  return [`broken off or refused, but came as a whole ${came.status}`];
}

/** The answer proper. @param {Buffer} received @param {string} method */
function answerIn(received, method) {
  let from = 0;
  for (;;) {
    const message = readMessage(received, from, { method, ended: true });
    if (message === undefined) return undefined;
    const status = Number(message.startLine.slice(9, 12));
    if (status >= 200) return { status, body: message.content.toString("latin1") };
    from = message.end;
  }
}
