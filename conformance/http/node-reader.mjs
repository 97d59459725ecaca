// @ts-check
// What Node's parser (llhttp, in its strict mode) understands of the same bytes, in this process, without sockets.
import { createServer, request as openRequest } from "node:http";
import { Duplex } from "node:stream";
import { lowerNames, pairsOf } from "./understanding.mjs";

/**
 * @typedef {import("./understanding.mjs").Message} Message
 * @typedef {import("./understanding.mjs").Understanding} Understanding
 */

/** Above our own limits, which the cases try. */
const maxHeadBytes = 128 * 1_024;

/** A connection whose other side is a list of pieces; what is written to it goes nowhere. */
class Feed extends Duplex {
  remoteAddress = "127.0.0.1";

  /** @param {readonly Buffer[]} pieces */
  give(pieces) {
    for (const piece of pieces) if (piece.length > 0) this.push(piece);
    this.push(null);
  }

  /** @override */
  _read() {}

  /** @override @param {unknown} _bytes @param {string} _encoding @param {() => void} done */
  _write(_bytes, _encoding, done) {
    done();
  }

  setTimeout() {
    return this;
  }

  setNoDelay() {
    return this;
  }

  setKeepAlive() {
    return this;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  destroySoon() {
    this.destroy();
  }
}

const server = createServer({
  maxHeaderSize: maxHeadBytes,
  insecureHTTPParser: false,
  // A missing host is refused by us; whether a reader agrees on the rest is another question.
  requireHostHeader: false,
  keepAliveTimeout: 0,
  headersTimeout: 0,
  requestTimeout: 0,
});
server.maxHeadersCount = 0;

/** What is being understood, by its connection. @type {WeakMap<object, Understanding>} */
const understandings = new WeakMap();

server.on("request", (request, response) => {
  const understanding = understandings.get(request.socket);
  const { method, url, httpVersion, rawHeaders } = request;
  const message = {
    ...{ method: method ?? "", target: url ?? "", version: httpVersion },
    ...{ headers: lowerNames(pairsOf(rawHeaders)), body: "", complete: false },
    trailers: /** @type {[string, string][]} */ ([]),
  };
  understanding?.messages.push(message);
  gather(request, message);
  // The next one is read before this one is answered.
  request.on("end", () => response.end());
});
// Expectations are ordinary requests here.
server.on("checkContinue", (request, response) => server.emit("request", request, response));
server.on("checkExpectation", (request, response) => server.emit("request", request, response));
server.on("clientError", (error, socket) => {
  const understanding = understandings.get(socket);
  if (understanding !== undefined && understanding.end === "open") {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    // The end of the bytes is no refusal.
    if (code !== "HPE_INVALID_EOF_STATE" && code !== "ECONNRESET") {
      understanding.end = "refused";
      understanding.reason = code ?? error.message;
    }
  }
  // Messages that came whole before it are handed out in the next turns.
  setImmediate(() => setImmediate(() => socket.destroy()));
});

/** @param {import("node:http").IncomingMessage} incoming @param {Message} message */
function gather(incoming, message) {
  incoming.setEncoding("latin1");
  incoming.on("data", (text) => {
    message.body += text;
  });
  incoming.on("end", () => {
    message.complete = incoming.complete;
    message.trailers = lowerNames(pairsOf(incoming.rawTrailers));
  });
  // Broken off: it stays incomplete.
  incoming.on("error", () => {});
}

/** @param {readonly Buffer[]} pieces @returns {Promise<Understanding>} */
export function readRequestsWithNode(pieces) {
  const feed = new Feed();
  /** @type {Understanding} */
  const understanding = { messages: [], end: "open" };
  understandings.set(feed, understanding);
  return new Promise((resolve) => {
    feed.once("close", () => resolve(understanding));
    feed.on("error", () => {});
    server.emit("connection", feed);
    feed.give(pieces);
  });
}

/**
 * @param {readonly Buffer[]} pieces @param {{ method?: string }} [options]
 * @returns {Promise<Understanding>}
 */
export function readAnswerWithNode(pieces, { method = "GET" } = {}) {
  const feed = new Feed();
  /** @type {Understanding} */
  const understanding = { messages: [], end: "open" };
  return new Promise((resolve) => {
    const settle = () => resolve(understanding);
    const request = openRequest({
      method,
      maxHeaderSize: maxHeadBytes,
      insecureHTTPParser: false,
      // @ts-expect-error: as a socket it has all that is used of one
      createConnection: () => feed,
    });
    request.on("information", ({ statusCode, httpVersion, rawHeaders }) => {
      const headers = lowerNames(pairsOf(rawHeaders));
      understanding.messages.push({
        ...{ status: statusCode, version: httpVersion, headers },
        ...{ body: "", trailers: [], complete: true },
      });
    });
    request.on("response", (answer) => {
      /** @type {Message} */
      const message = {
        ...{ status: answer.statusCode ?? 0, version: answer.httpVersion },
        ...{ headers: lowerNames(pairsOf(answer.rawHeaders)), body: "", trailers: [], complete: false },
      };
      understanding.messages.push(message);
      gather(answer, message);
      answer.on("close", settle);
    });
    request.on("error", (error) => {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code?.startsWith("HPE_") === true && code !== "HPE_INVALID_EOF_STATE") {
        understanding.end = "refused";
        understanding.reason = code;
      }
    });
    request.on("close", () => {
      // With a body under way, its own end comes first.
      if (understanding.messages.every(({ complete }) => complete)) settle();
      else setImmediate(settle);
    });
    request.end();
    request.once("finish", () => feed.give(pieces));
  });
}

/** Methods that Node's parser has heard of; it refuses all others. */
export { METHODS as methodsOfNode } from "node:http";
