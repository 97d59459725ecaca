// @ts-check
// Feeds inputs to our parser whole and in pieces, and to the others, and gathers the differences.
import { escaped } from "../http/cases.mjs";
import { policiesFor } from "../http/policies.mjs";
import { askNode, askPeer, askSplit, readOurselves } from "../http/run.mjs";
import { inputOf, piecesOf } from "./inputs.mjs";
import { shrink } from "./shrink.mjs";

/** Inputs under way at once: the readers need turns of the loop, not time. */
const batchSize = 64;
/** After so many the run ends: more of them help nobody. */
const maxFindings = 10;

/**
 * @typedef {import("./inputs.mjs").Input} Input
 * @typedef {import("../http/peers.mjs").Peer} Peer
 * @typedef {{ input: number, bytes: string, shrunk: string, side: string, faults: string[] }} Finding
 */

/**
 * @param {{ count: number, seed: number, from?: number, peers?: readonly Peer[], peersEvery?: number,
 *   onBatch?: (done: number) => void }} options `peersEvery`: each so-manieth input is put to the peers as well.
 */
export async function fuzz({ count, seed, from = 0, peers = [], peersEvery = 50, onBatch }) {
  /** @type {Finding[]} */
  const findings = [];
  /** @type {Map<string, number>} */
  const outcomes = new Map();
  /** @type {Record<string, number>} */
  const asked = { node: 0, ...Object.fromEntries(peers.map(({ name }) => [name, 0])) };
  const tally = (/** @type {string} */ name) => {
    asked[name] = (asked[name] ?? 0) + 1;
  };
  const startedAt = performance.now();
  let done = 0;
  for (; done < count && findings.length < maxFindings; done += batchSize) {
    const numbers = Array.from(
      { length: Math.min(batchSize, count - done) },
      (_, index) => from + done + index,
    );
    await Promise.all(
      numbers.map(async (number) => {
        const input = inputOf(seed, number);
        const faults = await judge(
          input,
          (outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1),
          tally,
        );
        if (faults.length > 0) findings.push(await findingOf(number, input, faults));
      }),
    );
    for (const number of numbers.filter((each) => each % peersEvery === 0)) {
      const input = inputOf(seed, number);
      for (const peer of peers) {
        const faults = await judgeByPeer(input, peer, tally);
        if (faults.length > 0) findings.push(await findingOf(number, input, faults, peer));
      }
    }
    onBatch?.(done + numbers.length);
  }
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const sorted = Object.fromEntries([...outcomes].toSorted(([, a], [, b]) => b - a));
  return {
    passed: findings.length === 0,
    count: Math.min(done, count),
    seed,
    seconds,
    asked,
    outcomes: sorted,
    findings,
  };
}

/**
 * @param {Input} input @param {(outcome: string) => void} [onOutcome] @param {(name: string) => void} [onAsked]
 * @returns {Promise<string[]>}
 */
async function judge(input, onOutcome, onAsked) {
  const ours = readOurselves(input);
  onOutcome?.(outcomeOf(input, ours));
  const split = JSON.stringify(readOurselves(input, piecesOf(input)));
  const whole = JSON.stringify(ours);
  if (split !== whole) return [`in pieces: ${split} and not ${whole}`];
  const stricter = policiesFor(ours.messages, input.bytes);
  const found = await askNode({ ...input, stricter }, ours);
  if (found !== undefined) onAsked?.("node");
  return found ?? [];
}

/** @param {Input} input @param {Peer} peer @param {(name: string) => void} [onAsked] */
async function judgeByPeer(input, peer, onAsked) {
  const ours = readOurselves(input);
  const found = await askPeer({ ...input, stricter: policiesFor(ours.messages, input.bytes) }, ours, peer);
  if (found !== undefined) onAsked?.(peer.name);
  return found ?? [];
}

/** @param {Input} input @param {import("../http/understanding.mjs").Understanding} ours */
function outcomeOf({ side }, { end, reason, messages }) {
  if (end === "refused") return `${side} refused: ${reason}`;
  const isWhole = messages.every(({ complete }) => complete);
  return isWhole && messages.length > 0 ? `${side}: ${messages.length} taken` : `${side}: more awaited`;
}

/** @param {number} number @param {Input} input @param {string[]} faults @param {Peer} [peer] @returns {Promise<Finding>} */
async function findingOf(number, input, faults, peer) {
  const fails = async (/** @type {Buffer} */ bytes) => {
    const smaller = { ...input, bytes, cuts: [] };
    if (peer !== undefined) return (await judgeByPeer(smaller, peer)).length > 0;
    const isCut = faults[0]?.startsWith("in pieces") === true;
    return isCut ? askSplit(smaller, readOurselves(smaller)).length > 0 : (await judge(smaller)).length > 0;
  };
  const shrunk = await shrink(input.bytes, fails);
  return { input: number, side: input.side, bytes: escaped(input.bytes), shrunk: escaped(shrunk), faults };
}
