// @ts-check
// The mix: what is sent, and what has to come back.
import { crc32 } from "node:zlib";
import { bodyOf, largeBytes, pieceBytes } from "./bodies.mjs";

/** @typedef {import("./connection.mjs").Answer} Answer */
/** @typedef {import("./connection.mjs").Connection} Connection */

/** Requests on one connection before the first answer. */
export const pipelineDepth = 8;

/** Other fields, as services send them along. */
const common = [
  "host: soak.internal",
  "user-agent: soak/1.0",
  "accept: */*",
  "accept-encoding: gzip, br",
  "authorization: Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1LTQ3MTEifQ.b3hZ0dQm3r",
  "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
]
  .map((line) => `${line}\r\n`)
  .join("");

/** @param {string} line @param {string} selecting The header lines that select an override. @param {string} [more] */
const head = (line, selecting, more = "") => `${line} HTTP/1.1\r\n${common}${selecting}${more}\r\n`;

/**
 * One kind of request: `send` writes it and gives back its answer to come, `isRight` looks at the body.
 * @typedef {object} Kind
 * @property {number} weight Of the mix.
 * @property {boolean} [isAlone] On a connection of its own, which its answer ends.
 * @property {(connection: Connection, index: number, selecting: string) => Promise<Answer> | undefined} send
 * @property {(answer: Answer, index: number) => boolean} isRight
 */

/** @type {(answer: Answer, index: number) => boolean} */
const isSmall = ({ side, body }, index) => body.latin1Slice() === `${side} ${index}`.padEnd(200, ".");
/** @type {(answer: Answer, index: number) => boolean} */
const isStored = ({ body }, index) => body.latin1Slice() === `${largeBytes} ${crc32(bodyOf(index))}`;

/** @type {Record<string, Kind>} */
export const kinds = {
  small: {
    weight: 35,
    send: (connection, index, selecting) => connection.send(head(`GET /small/${index}`, selecting))[0],
    isRight: isSmall,
  },
  large: {
    weight: 10,
    send: (connection, index, selecting) => connection.send(head(`GET /large/${index}`, selecting))[0],
    isRight: ({ body }, index) => body.equals(bodyOf(index)),
  },
  chunked: {
    weight: 10,
    send: (connection, index, selecting) =>
      connection.send(head(`GET /chunked/${index}`, selecting, "te: trailers\r\n"))[0],
    isRight: ({ body, trailers }, index) =>
      body.equals(bodyOf(index, 30_000)) && trailers.toLowerCase().includes(`x-sum: ${crc32(body)}`),
  },
  upload: {
    weight: 8,
    send(connection, index, selecting) {
      const start = head(`POST /upload/${index}`, selecting, `content-length: ${largeBytes}\r\n`);
      return connection.send(Buffer.concat([Buffer.from(start, "latin1"), bodyOf(index)]))[0];
    },
    isRight: isStored,
  },
  "chunked upload": {
    weight: 7,
    send(connection, index, selecting) {
      const expects = index % 5 === 0 ? "expect: 100-continue\r\n" : "";
      const [answer] = connection.send(
        head(`POST /upload/${index}`, selecting, `transfer-encoding: chunked\r\n${expects}`),
      );
      writeChunks(connection, bodyOf(index), pieceBytes(index));
      return answer;
    },
    isRight: isStored,
  },
  "new connection": {
    weight: 8,
    isAlone: true,
    send: (connection, index, selecting) =>
      connection.send(head(`GET /small/${index}`, selecting, "connection: close\r\n"))[0],
    isRight: isSmall,
  },
};

/** The weights of what is no request of its own: many in a row, and messages on sockets. */
export const otherWeights = { pipelined: 12, websocket: 10 };

/** @param {number} index @param {string} selecting */
export function smallRequest(index, selecting) {
  return head(`GET /small/${index}`, selecting);
}
export const isSmallAnswer = isSmall;

/**
 * One chunk in each turn of the event loop, so that they come apart.
 * @param {Connection} connection @param {Buffer} body @param {number} bytes
 */
function writeChunks(connection, body, bytes) {
  let at = 0;
  const turn = () => {
    if (connection.isClosed) return;
    const piece = body.subarray(at, at + bytes);
    at += bytes;
    connection.write(`${piece.length.toString(16)}\r\n`);
    connection.write(piece);
    connection.write(at < body.length ? "\r\n" : "\r\n0\r\n\r\n");
    if (at < body.length) setImmediate(turn);
  };
  turn();
}
