// @ts-check
// The client's side of one connection, by bytes: answers in the order of their requests, each whole.
import { connect } from "node:net";

/** For an answer, from when its request was sent; then it counts as failed. Nothing on loopback takes long. */
export const answerTimeoutMs = 15_000;

/** @typedef {{ status: number, side: string, head: string, body: Buffer, trailers: string }} Answer */
/** @typedef {{ resolve: (answer: Answer) => void, reject: (error: Error) => void, timer: NodeJS.Timeout }} Waiting */

const noBytes = Buffer.alloc(0);

export class Connection {
  /** @type {Waiting[]} */
  #waiting = [];
  #held = noBytes;
  #socket;
  isClosed = false;
  /** Requests sent on it. */
  used = 0;

  /** @param {number} port */
  constructor(port) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (bytes) => this.#read(bytes));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("the connection was closed before the answer")));
  }

  /**
   * Writes requests at once, and gives back their answers to come. Rejections: the connection's fault, or no answer in time.
   * @param {string | Buffer} bytes @param {number} [count]
   * @returns {Promise<Answer>[]}
   */
  send(bytes, count = 1) {
    this.used += count;
    const answers = Array.from({ length: count }, () => this.#expect());
    this.#socket.write(bytes, "latin1");
    return answers;
  }

  /** More of a request's body. @param {Buffer | string} bytes */
  write(bytes) {
    this.#socket.write(bytes, "latin1");
  }

  close() {
    this.isClosed = true;
    this.#socket.end();
  }

  destroy() {
    this.#socket.destroy();
  }

  /** @returns {Promise<Answer>} */
  #expect() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(new Error(`no answer within ${answerTimeoutMs} ms`));
        this.#socket.destroy();
      }, answerTimeoutMs);
      this.#waiting.push({ resolve, reject, timer });
    });
  }

  /** @param {Error} error */
  #fail(error) {
    this.isClosed = true;
    for (const { reject, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
  }

  /** @param {Buffer} bytes */
  #read(bytes) {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    try {
      for (let answer = parseAnswer(this.#held); answer !== undefined; answer = parseAnswer(this.#held)) {
        this.#held = this.#held.subarray(answer.length);
        if (answer.status === 100) continue;
        const waiting = this.#waiting.shift();
        if (waiting === undefined) throw new Error(`an answer that nobody asked for: ${answer.head}`);
        clearTimeout(waiting.timer);
        waiting.resolve(answer);
      }
    } catch (error) {
      this.#fail(/** @type {Error} */ (error));
      this.#socket.destroy();
    }
  }
}

/**
 * The first answer, once all of it is there. Takes lengths and chunks only, which is what the services send.
 * @param {Buffer} bytes
 * @returns {(Answer & { length: number }) | undefined}
 */
function parseAnswer(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = bytes.latin1Slice(0, end);
  const [, code] = /^HTTP\/1\.1 (\d{3}) /.exec(head) ?? [];
  if (code === undefined) throw new Error(`no answer: ${head.slice(0, 200)}`);
  const status = Number(code);
  const side = /\r\nx-served-by: ([^\r]*)/i.exec(head)?.[1] ?? "nobody";
  const bodyAt = end + 4;
  if (status < 200) return { status, side, head, body: noBytes, trailers: "", length: bodyAt };
  if (/\r\ntransfer-encoding: chunked/i.test(head)) {
    const chunked = parseChunks(bytes, bodyAt);
    return chunked && { status, side, head, ...chunked };
  }
  const size = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (size === undefined) throw new Error(`an answer without a length: ${head}`);
  const length = bodyAt + Number(size);
  if (bytes.length < length) return undefined;
  return { status, side, head, body: bytes.subarray(bodyAt, length), trailers: "", length };
}

/** @param {Buffer} bytes @param {number} from */
function parseChunks(bytes, from) {
  const pieces = [];
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const line = bytes.latin1Slice(at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`no length of a chunk: ${line.slice(0, 200)}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) {
      // The empty line may follow at once.
      const end = bytes.indexOf("\r\n\r\n", lineEnd);
      if (end === -1) return undefined;
      return { body: Buffer.concat(pieces), trailers: bytes.latin1Slice(lineEnd, end), length: end + 4 };
    }
    if (bytes.length < at + size + 2) return undefined;
    pieces.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
}
