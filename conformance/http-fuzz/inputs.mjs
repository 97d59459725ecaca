// @ts-check
// What the fuzzer feeds: messages by the grammar, a part of them damaged byte by byte, and where each is cut.
import { answer, requests } from "./messages.mjs";
import { Random } from "./random.mjs";

/** Pieces at which parsers stumble. */
const pieces = [
  "\r\n",
  "\r",
  "\n",
  "\r\n\r\n",
  " ",
  "\t",
  "\0",
  ":",
  ";",
  ",",
  "0",
  "f",
  "\x7f",
  "\x80",
  "\xff",
  "chunked",
  "Content-Length: 3\r\n",
  "Transfer-Encoding: chunked\r\n",
  "HTTP/1.1",
  "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
  "0\r\n\r\n",
  "\r\n ",
];

/**
 * @typedef {object} Input
 * @property {"request" | "answer"} side
 * @property {Buffer} bytes
 * @property {string} [method] Of the request that an answer answers.
 * @property {number[]} cuts
 */

/** An input of a seed, the same each time. @param {number} seed @param {number} number @returns {Input} */
export function inputOf(seed, number) {
  const random = new Random(seed, number);
  const isAnswer = random.once(4);
  let bytes = Buffer.from(isAnswer ? answer(random) : requests(random), "latin1");
  const damages = random.once(3) ? 1 + random.below(3) : 0;
  for (let index = 0; index < damages; index++) bytes = damaged(bytes, random);
  const cuts = cutsOf(bytes.length, random);
  if (!isAnswer) return { side: "request", bytes, cuts };
  return { side: "answer", bytes, cuts, method: random.of(["GET", "GET", "GET", "POST", "HEAD"]) };
}

/** @param {Buffer} bytes @param {Random} random @returns {Buffer<ArrayBuffer>} */
function damaged(bytes, random) {
  const from = random.below(bytes.length + 1);
  const before = bytes.subarray(0, from);
  const after = bytes.subarray(from);
  const piece = Buffer.from(random.of(pieces), "latin1");
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([before, piece, after.subarray(piece.length)]);
    case 1:
      return Buffer.concat([before, piece, after]);
    case 2:
      return Buffer.concat([before, after.subarray(1 + random.below(6))]);
    case 3:
      return Buffer.concat([before, after.subarray(0, random.below(40)), after]);
    case 4: {
      const other = random.below(bytes.length + 1);
      return Buffer.concat([before, bytes.subarray(other, other + random.below(60)), after]);
    }
    case 5:
      // Broken off.
      return Buffer.concat([before]);
    default: {
      const flipped = Buffer.from(bytes);
      if (from < flipped.length) flipped[from] = random.below(256);
      return flipped;
    }
  }
}

/** Few pieces, or each byte by itself. @param {number} length @param {Random} random */
function cutsOf(length, random) {
  if (length < 2) return [];
  if (length < 400 && random.once(10)) return Array.from({ length: length - 1 }, (_, at) => at + 1);
  const count = 1 + random.below(4);
  const cuts = new Set(Array.from({ length: count }, () => 1 + random.below(length - 1)));
  return [...cuts].toSorted((a, b) => a - b);
}

/** @param {Input} input @returns {Buffer[]} */
export function piecesOf({ bytes, cuts }) {
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(0, -1).map((from, index) => bytes.subarray(from, edges[index + 1]));
}
