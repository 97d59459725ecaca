// @ts-check
// Bare clients, one for each transport: they send what a case says, be it right or wrong, and hand back what came.
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";

/** How long an answer may take before a case fails. */
const answerTimeoutMs = 10_000;

/**
 * @typedef {object} Message
 * @property {string} method
 * @property {Record<string, string>} headers
 * @property {Buffer} body
 *
 * @typedef {object} Answer
 * @property {number | undefined} status Undefined where the transport has none.
 * @property {Record<string, string | string[] | undefined>} headers
 * @property {Buffer} body
 *
 * @typedef {object} Transport
 * @property {string} name
 * @property {boolean} isHttp
 * @property {(message: Message) => Promise<Answer>} send
 * @property {() => void} close
 */

/**
 * `http:` is HTTP/1.1, `h2c:` HTTP/2 without TLS, `unix:` a socket with frames. Undefined: no such transport.
 * @param {string} text @returns {Transport | undefined}
 */
export function openTransport(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:") return openHttp1(url);
  if (url?.protocol === "h2c:") return openHttp2(new URL(text.replace(/^h2c/, "http")));
  if (url?.protocol === "unix:" && url.pathname !== "") return openUnix(url.pathname);
  return undefined;
}

/** @param {URL} url @returns {Transport} */
function openHttp1(url) {
  const agent = new Agent({ keepAlive: true });
  return {
    name: "HTTP/1.1",
    isHttp: true,
    send: (message) => sendHttp1(url, agent, message),
    close: () => agent.destroy(),
  };
}

/** @param {URL} url @param {Agent} agent @param {Message} message @returns {Promise<Answer>} */
async function sendHttp1(url, agent, message) {
  const { method, headers, body } = message;
  const request = httpRequest(url, { method, agent, timeout: answerTimeoutMs, headers });
  request.once("timeout", () => request.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)));
  request.end(body);
  try {
    const [response] = /** @type {[import("node:http").IncomingMessage]} */ (await once(request, "response"));
    return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
  } catch (error) {
    // A kept connection that the server let go of while it was idle is no answer to this request.
    const isStale =
      request.reusedSocket && /** @type {NodeJS.ErrnoException} */ (error).code === "ECONNRESET";
    if (isStale) return sendHttp1(url, agent, message);
    throw error;
  }
}

/** @param {URL} url @returns {Transport} */
function openHttp2(url) {
  /** @type {import("node:http2").ClientHttp2Session | undefined} */
  let session;
  const connected = () => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(url.origin);
      session.on("error", () => {}); // each of its streams says so as well
    }
    return session;
  };
  return {
    name: "HTTP/2",
    isHttp: true,
    async send({ method, headers, body }) {
      const { connection: _, ...rest } = headers;
      const endStream = body.length === 0;
      const stream = connected().request(
        { ...rest, ":method": method, ":path": url.pathname },
        { endStream },
      );
      stream.setTimeout(answerTimeoutMs, () => stream.close());
      if (!endStream) stream.end(body);
      const [answer] = await once(stream, "response");
      const { ":status": status, ...others } = answer;
      return { status, headers: others, body: await buffer(stream) };
    },
    close: () => session?.destroy(),
  };
}

/** @param {string} path @returns {Transport} */
function openUnix(path) {
  return {
    name: "Unix socket",
    isHttp: false,
    async send({ body }) {
      const socket = connect(path);
      socket.setTimeout(answerTimeoutMs, () =>
        socket.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)),
      );
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      socket.write(Buffer.concat([length, body]));
      try {
        return { status: undefined, headers: {}, body: await readFrame(socket) };
      } finally {
        socket.destroy();
      }
    },
    close: () => {},
  };
}

/** @param {import("node:net").Socket} socket */
async function readFrame(socket) {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length < 4) continue;
    const end = 4 + bytes.readUInt32BE(0);
    if (bytes.length >= end) return bytes.subarray(4, end);
  }
  throw new Error("the connection ended before a whole frame had come");
}
