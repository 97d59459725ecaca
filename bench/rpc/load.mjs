// @ts-check
// The load generator, a process of its own: connections that are kept, on each one request at a time.
import { connect } from "node:net";

/** @typedef {{ port: number, request: string, connections: number, ms: number }} Order */

/** Where an answer ends: its length, or undefined while it is not all there. @param {Buffer} bytes */
function answerLength(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = bytes.toString("latin1", 0, end);
  if (!head.startsWith("HTTP/1.1 200"))
    throw new Error(`answered with ${head.slice(0, 40)}: ${bytes.toString("utf8", end, end + 300)}`);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const total = end + 4 + Number(length);
    return bytes.length >= total ? total : undefined;
  }
  const last = bytes.indexOf("\r\n0\r\n\r\n", end);
  return last === -1 ? undefined : last + 7;
}

/** @param {Order} order */
function run({ port, request, connections, ms }) {
  const bytes = Buffer.from(request);
  /** @type {number[]} */
  const latencies = [];
  const endAt = performance.now() + ms;
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      let received = Buffer.alloc(0);
      let sentAt = 0;
      const send = () => {
        sentAt = performance.now();
        socket.write(bytes);
      };
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("close", resolve);
      socket.on("data", (chunk) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        try {
          if (answerLength(received) === undefined) return;
        } catch (error) {
          reject(error);
          socket.destroy();
          return;
        }
        received = Buffer.alloc(0);
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now < endAt) send();
        else socket.destroy();
      });
    });
  return Promise.all(Array.from({ length: connections }, one)).then(() =>
    latencies.toSorted((a, b) => a - b),
  );
}

process.on("message", (/** @type {Order} */ order) => {
  const startedAt = performance.now();
  run(order).then(
    (latencies) => {
      const at = (/** @type {number} */ share) => latencies[Math.floor(latencies.length * share)] ?? 0;
      process.send?.({
        requests: latencies.length,
        ms: performance.now() - startedAt,
        p50Us: at(0.5) * 1_000,
        p99Us: at(0.99) * 1_000,
      });
    },
    (error) => process.send?.({ error: String(error) }),
  );
});
process.once("disconnect", () => process.exit(0));
