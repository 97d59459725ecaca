// @ts-check
// WebSocket messages, a process of its own: connections that are kept, on each one message at a time, each sent back.
import { connect } from "node:net";
import { requestFields, requestText } from "./request.mjs";
import { maskedFrame } from "./websocket-frames.mjs";

/** @typedef {{ port: number, connections: number, ms: number }} Order */

/** 125 bytes are the longest that RFC 6455's short form has: a chat line, a tick of a price. */
const frame = maskedFrame("m".repeat(125));
const echoBytes = 2 + 125;

const opening = requestText("/socket", {
  ...requestFields(),
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
});

/** @param {Order} order */
async function run({ port, connections, ms }) {
  /** @type {number[]} */
  const latencies = [];
  const startedAt = performance.now();
  const endAt = startedAt + ms;
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      let head = Buffer.alloc(0);
      let isOpen = false;
      let received = 0;
      let sentAt = 0;
      const send = () => {
        sentAt = performance.now();
        socket.write(frame);
      };
      socket.on("connect", () => socket.write(opening));
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("a connection was closed")));
      socket.on("data", (bytes) => {
        if (!isOpen) {
          head = Buffer.concat([head, bytes]);
          if (!head.includes("\r\n\r\n")) return;
          isOpen = head.latin1Slice().startsWith("HTTP/1.1 101 ");
          if (isOpen) send();
          else socket.destroy(new Error(`answered with ${head.latin1Slice()}`));
          return;
        }
        received += bytes.length;
        if (received < echoBytes) return;
        received = 0;
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now < endAt) send();
        else resolve(socket.destroy());
      });
    });
  await Promise.all(Array.from({ length: connections }, one));
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) => (sorted[Math.floor(sorted.length * share)] ?? 0) * 1_000;
  return { requests: sorted.length, ms: performance.now() - startedAt, p50Us: at(0.5), p99Us: at(0.99) };
}

process.on("message", (/** @type {Order} */ order) => {
  run(order).then(
    (report) => process.send?.(report),
    (error) => process.send?.({ error: String(error) }),
  );
});
process.once("disconnect", () => process.exit(0));
