// @ts-check
// Puts messages to our parser and to the others, and tells where they understand different things.
import { readAnswerWithNode, readRequestsWithNode } from "./node-reader.mjs";
import { readAnswer, readRequests } from "./our-reader.mjs";
import { sameAnswer } from "./peers.mjs";
import { differences, lowerNames, sameInAll, unequal } from "./understanding.mjs";

/**
 * @typedef {import("./understanding.mjs").Understanding} Understanding
 * @typedef {import("./cases.mjs").LoadedCase} LoadedCase
 * @typedef {import("./peers.mjs").Peer} Peer
 *
 * @typedef {object} Subject
 * @property {Buffer} bytes
 * @property {"request" | "answer"} side
 * @property {string} [method] Of the request that an answer answers.
 * @property {Record<string, string>} [stricter] Readers that may refuse it, and why.
 */

/** What ours is by itself: whether it is as the case says. @param {LoadedCase} one @param {Understanding} ours @returns {string[]} */
export function judgeCase(one, ours) {
  const complete = ours.messages.filter((message) => message.complete);
  if (one.refuse !== undefined) {
    const faults = sameMessages(one.after ?? [], complete);
    if (ours.end !== "refused") faults.push(`not refused (${one.refuse}), but ${ours.end}`);
    else if (one.refuse !== "*" && ours.reason !== one.refuse)
      faults.push(`refused for ${ours.reason}, not ${one.refuse}`);
    return faults;
  }
  const faults = sameMessages(one.accept ?? [], complete);
  const wanted = one.closes === true || one.side === "answer" ? "closed" : "open";
  if (ours.end !== wanted)
    faults.push(`is ${ours.end}${ours.reason ? ` for ${ours.reason}` : ""}, not ${wanted}`);
  return faults;
}

/**
 * @param {readonly import("./cases.mjs").ExpectedMessage[]} expected @param {readonly import("./understanding.mjs").Message[]} found
 * @returns {string[]}
 */
function sameMessages(expected, found) {
  if (found.length !== expected.length) return [`${found.length} messages, not ${expected.length}`];
  return expected.flatMap((message, index) => {
    const came = /** @type {import("./understanding.mjs").Message} */ (found[index]);
    const trailers = lowerNames(message.trailers ?? []);
    const wanted = { ...came, ...message, body: message.body ?? came.body, trailers };
    return unequal(wanted, came, ["method", "target", "status", "body", "trailers"]);
  });
}

/** @param {Subject} subject @param {readonly Buffer[]} [pieces] @returns {Understanding} */
export function readOurselves({ bytes, side, method }, pieces = [bytes]) {
  return side === "request"
    ? readRequests(pieces)
    : readAnswer(pieces, method === undefined ? {} : { method });
}

/** @param {Subject} subject @returns {Promise<Understanding>} */
function readWithNode({ bytes, side, method }) {
  return side === "request"
    ? readRequestsWithNode([bytes])
    : readAnswerWithNode([bytes], method === undefined ? {} : { method });
}

/** Ends in a tunnel, whose bytes are no more HTTP: what of it is read on differs by purpose. @param {Understanding} ours */
const isTunnel = ({ messages }) =>
  messages.some(({ method, status }) => method === "CONNECT" || status === 101);

/**
 * What Node's parser sees differently; undefined where it cannot be asked.
 * @param {Subject} subject @param {Understanding} ours
 * @returns {Promise<string[] | undefined>}
 */
export async function askNode(subject, ours) {
  if (isTunnel(ours)) return undefined;
  return excused(subject, "node", await readWithNode(subject), ours, sameInAll);
}

/**
 * What a peer sees differently; undefined where it cannot be asked: it is asked only of what we take for whole.
 * @param {Subject} subject @param {Understanding} ours @param {Peer} peer
 * @returns {Promise<string[] | undefined>}
 */
export async function askPeer(subject, ours, peer) {
  const isWhole =
    ours.begun !== true &&
    (ours.end === "open" || ours.end === "closed") &&
    ours.messages.length > 0 &&
    ours.messages.every(({ complete }) => complete);
  if (!isWhole || isTunnel(ours)) return undefined;
  if (subject.side === "answer") return askPeerOfAnswer(subject, ours, peer);
  const theirs = await peer.understand(subject.bytes, { closes: ours.end === "closed" });
  return excused(subject, peer.name, theirs, ours, peer.same);
}

/** Of the answer proper: interim ones are not for all. @param {Subject} subject @param {Understanding} ours @param {Peer} peer */
async function askPeerOfAnswer(subject, ours, peer) {
  const final = ours.messages.at(-1);
  if (ours.end !== "closed" || final === undefined || (ours.messages.length > 1 && !peer.knowsInterim))
    return undefined;
  const theirs = await peer.understandAnswer(subject.bytes, { method: subject.method ?? "GET" });
  return excused(subject, peer.name, theirs, { ...ours, messages: [final] }, sameAnswer);
}

/**
 * @param {Subject} subject @param {string} name @param {Understanding} theirs @param {Understanding} ours
 * @param {typeof sameInAll} same
 */
function excused({ stricter }, name, theirs, ours, same) {
  const found = differences(ours, theirs, same);
  const isExcused = theirs.end === "refused" && stricter?.[name] !== undefined;
  return isExcused ? [] : found.map((difference) => `${name}: ${difference}`);
}

/** Fed whole and cut in two everywhere: the same. @param {Subject} subject @param {Understanding} ours @returns {string[]} */
export function askSplit(subject, ours) {
  const whole = JSON.stringify(ours);
  const { bytes } = subject;
  // Of long ones, some: what is long is repetition.
  const step = Math.max(1, Math.floor(bytes.length / 400));
  for (let cut = 1; cut < bytes.length; cut += step) {
    const split = JSON.stringify(readOurselves(subject, [bytes.subarray(0, cut), bytes.subarray(cut)]));
    if (split !== whole) return [`cut at ${cut}: ${split.slice(0, 300)} and not ${whole.slice(0, 300)}`];
  }
  return [];
}
