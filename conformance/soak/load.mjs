// @ts-check
// Sends labelled requests to the service, as they come in from outside: over kept connections, one at a time or
// pipelined, and over HTTP/2. Bare sockets, so that a million of them cost the driver little.
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { baggageOf, labelOf } from "./labels.cjs";

const connectionCount = 32;
/** Requests of different tenants on one connection before the first answer. */
const pipelineDepth = 8;

/**
 * @typedef {{ part: string, count: number, port: number, signal: AbortSignal }} Load
 * @typedef {{ answered: number, failed: number }} Answers
 */

/**
 * @param {Load} load @param {number} depth
 * @returns {Promise<Answers>}
 */
async function sendHttp1({ part, count, port, signal }, depth) {
  const answers = { answered: 0, failed: 0 };
  let next = 0;
  const nextRequest = () => {
    const index = next++;
    const label = labelOf(part, index);
    const body = index % 2 === 0 ? undefined : "x";
    const head = `${body ? "POST" : "GET"} /${label} HTTP/1.1\r\nHost: service\r\nBaggage: ${baggageOf(label)}\r\n`;
    return body ? `${head}Content-Length: 1\r\n\r\n${body}` : `${head}\r\n`;
  };
  const runConnection = async () => {
    const socket = connect({ port, host: "127.0.0.1", signal }).setNoDelay(true);
    socket.setEncoding("latin1");
    let open = 0;
    let rest = "";
    const refill = () => {
      let text = "";
      // Answers have no body, so each is one head.
      for (; open < depth && next < count; open += 1) text += nextRequest();
      if (text !== "") socket.write(text);
      else if (open === 0) socket.end();
    };
    socket.on("data", (/** @type {string} */ data) => {
      const heads = (rest + data).split("\r\n\r\n");
      rest = heads.pop() ?? "";
      for (const head of heads) {
        open -= 1;
        if (head.startsWith("HTTP/1.1 200")) answers.answered += 1;
        else answers.failed += 1;
      }
      refill();
    });
    refill();
    await once(socket, "close");
  };
  await Promise.all(Array.from({ length: Math.min(connectionCount, count) }, runConnection));
  return answers;
}

/** @param {Load} load @returns {Promise<Answers>} */
async function sendHttp2({ part, count, port, signal }) {
  const answers = { answered: 0, failed: 0 };
  let next = 0;
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  signal.addEventListener("abort", () => session.destroy(), { once: true });
  const runLane = async () => {
    while (next < count && !session.destroyed) {
      const index = next++;
      const label = labelOf(part, index);
      const isPost = index % 2 === 1;
      const stream = session.request({
        ":method": isPost ? "POST" : "GET",
        ":path": `/${label}`,
        baggage: baggageOf(label),
      });
      stream.end(isPost ? "x" : undefined);
      const [headers] = await once(stream, "response");
      if (headers[":status"] === 200) answers.answered += 1;
      else answers.failed += 1;
      stream.resume();
    }
  };
  await Promise.all(Array.from({ length: Math.min(connectionCount, count) }, runLane));
  session.close();
  return answers;
}

/** @type {Record<import("./parts/index.cjs").Part["inbound"], (load: Load) => Promise<Answers>>} */
export const sendBy = {
  "keep-alive": (load) => sendHttp1(load, 1),
  pipelined: (load) => sendHttp1(load, pipelineDepth),
  http2: sendHttp2,
};
