// @ts-check
// What our parsers understand of a connection's bytes, fed in pieces as a connection would.
import { ChunkedScanner, RequestHeadParser, ResponseHeadParser } from "@clew/wire";
import { lowerNames, pairsOf } from "./understanding.mjs";

/**
 * @typedef {import("./understanding.mjs").Message} Message
 * @typedef {import("./understanding.mjs").Understanding} Understanding
 */

/** @param {readonly Buffer[]} pieces @returns {Understanding} */
export function readRequests(pieces) {
  return read(new RequestReader(), pieces);
}

/**
 * @param {readonly Buffer[]} pieces
 * @param {{ method?: string, ended?: boolean }} [options] The method answered to (default GET); whether the connection ended then.
 * @returns {Understanding}
 */
export function readAnswer(pieces, { method = "GET", ended = true } = {}) {
  return read(new AnswerReader(method, ended), pieces);
}

/** @param {Reader} reader @param {readonly Buffer[]} pieces */
function read(reader, pieces) {
  for (const piece of pieces) reader.feed(piece);
  return reader.understood();
}

/** Both sides' state machine: head, body, and the next message. */
class Reader {
  /** @type {Message[]} */
  messages = [];
  /** @type {Understanding["end"]} */
  end = "open";
  /** @type {string | undefined} */
  reason;
  #held = Buffer.alloc(0);
  #chunks = new ChunkedScanner();
  /** @type {"head" | "length" | "chunked" | "until-close"} */
  #stage = "head";
  #left = 0;
  /** The body so far, as it came and without chunks. */
  #raw = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #data = [];

  /** @param {Buffer} piece */
  feed(piece) {
    this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    let goesOn = true;
    while (goesOn && this.end === "open")
      goesOn = this.#stage === "head" ? this.#readHead() : this.#readBody();
  }

  /** @returns {Understanding} */
  understood() {
    const { messages, end, reason } = this;
    if (this.#stage !== "head") this.#note();
    const begun = end === "open" && this.#stage === "head" && this.#held.length > 0;
    return { messages, end, begun, ...(reason === undefined ? {} : { reason }) };
  }

  /** @param {boolean} [complete] */
  #note(complete = false) {
    const message = this.messages.at(-1);
    if (message === undefined) return;
    message.body = Buffer.concat(this.#data).toString("latin1");
    message.complete = complete;
  }

  #readHead() {
    const parser = this.parser();
    const result = parser.parse(this.#held, 0, this.#held.length);
    if (result === "incomplete") return false;
    if (result !== "complete") return this.#refuse(result);
    const headers = lowerNames(pairsOf(parser.rawHeaders));
    const version = `1.${parser.minorVersion}`;
    this.messages.push({ ...this.startLine(), version, headers, body: "", trailers: [], complete: false });
    this.#held = this.#held.subarray(parser.headEnd);
    this.#data = [];
    this.#raw = Buffer.alloc(0);
    const framing = this.framing();
    if (framing === "none") return this.#complete();
    this.#stage = framing;
    this.#left = parser.contentLength;
    return true;
  }

  #readBody() {
    const held = this.#held;
    if (this.#stage === "chunked") return this.#readChunks(held);
    if (this.#stage === "until-close") {
      this.#data.push(held);
      this.#held = Buffer.alloc(0);
      return false;
    }
    const part = held.subarray(0, this.#left);
    this.#data.push(part);
    this.#left -= part.length;
    this.#held = held.subarray(part.length);
    return this.#left === 0 ? this.#complete() : false;
  }

  /** @param {Buffer} held */
  #readChunks(held) {
    const result = this.#chunks.scan(held, 0, held.length, (from, to) =>
      this.#data.push(held.subarray(from, to)),
    );
    if (result !== "complete" && result !== "incomplete") return this.#refuse(result);
    this.#raw = Buffer.concat([this.#raw, held.subarray(0, this.#chunks.end)]);
    this.#held = held.subarray(this.#chunks.end);
    if (result === "incomplete") return false;
    const message = this.messages.at(-1);
    if (message !== undefined) message.trailers = lowerNames(trailersOf(this.#raw));
    return this.#complete();
  }

  #complete() {
    this.#note(true);
    this.#stage = "head";
    if (!this.goesOn()) this.end = "closed";
    else if (this.asksUpgrade()) this.end = "upgrade";
    return this.end === "open" && this.#held.length > 0;
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.end = "refused";
    this.reason = reason;
    return false;
  }

  ended() {
    if (this.#stage !== "until-close") return;
    this.#note(true);
    this.#stage = "head";
    this.end = "closed";
  }

  /** @returns {RequestHeadParser | ResponseHeadParser} */
  parser() {
    throw new Error("asked of a subclass");
  }

  /** @returns {Pick<Message, "method" | "target" | "status">} */
  startLine() {
    return {};
  }

  /** @returns {"none" | "length" | "chunked" | "until-close"} */
  framing() {
    return this.parser().framing;
  }

  /** Whether another message may follow the one that is over. */
  goesOn() {
    return this.parser().keepAlive;
  }

  /** Whether what follows may be no HTTP: nothing of it is read before the answer. */
  asksUpgrade() {
    return false;
  }
}

class RequestReader extends Reader {
  #parser = new RequestHeadParser();

  /** @override */
  parser() {
    return this.#parser;
  }

  /** @override */
  startLine() {
    return { method: this.#parser.method, target: this.#parser.target };
  }

  /** CONNECT is answered with 405 and the connection's end. @override */
  goesOn() {
    return this.#parser.keepAlive && !this.#parser.isMethod("CONNECT");
  }

  /** @override */
  asksUpgrade() {
    return this.#parser.asksUpgrade && this.#parser.header("upgrade") !== undefined;
  }
}

/** One final answer, after any interim ones. */
class AnswerReader extends Reader {
  #parser = new ResponseHeadParser();
  #method;
  #ended;

  /** @param {string} method @param {boolean} ended */
  constructor(method, ended) {
    super();
    this.#method = method;
    this.#ended = ended;
  }

  /** @override */
  parser() {
    return this.#parser;
  }

  /** @override */
  startLine() {
    return { status: this.#parser.status };
  }

  /** An answer to HEAD has no body. Source: RFC 9112 §6.3. @override */
  framing() {
    return this.#method === "HEAD" ? "none" : this.#parser.framing;
  }

  /** @override */
  goesOn() {
    return this.#parser.status < 200 && this.#parser.status !== 101;
  }

  /** @override */
  understood() {
    if (this.#ended) this.ended();
    return super.understood();
  }
}

/** The trailer lines of a whole chunked body: what is after its last chunk. @param {Buffer} raw @returns {[string, string][]} */
function trailersOf(raw) {
  const text = raw.toString("latin1");
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    at += size + 2;
  }
  const lines = text.slice(at, -2).split("\r\n").slice(0, -1);
  return lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
  });
}
