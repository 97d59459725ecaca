// @ts-check
// Opens connections, asks once on each, and keeps them all: a process of its own, which its end lets go of.
import { connect } from "node:net";
import { answerReader } from "./answer-reader.mjs";

/** @typedef {{ port: number, request: string, connections: number }} Order */

/** Connections under way at once: well below the backlog of every server. */
const atOnce = 64;

/** @param {Order} order */
async function open({ port, request, connections }) {
  let left = connections;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await new Promise((resolve, reject) => {
        const socket = connect({ port, host: "127.0.0.1", noDelay: true });
        socket.on("connect", () => socket.write(request));
        socket.on(
          "data",
          answerReader(() => resolve(undefined)),
        );
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("a connection was closed")));
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

process.on("message", (/** @type {Order} */ order) => {
  open(order).then(
    () => process.send?.({ requests: order.connections, ms: 0, p50Us: 0, p99Us: 0 }),
    (error) => process.send?.({ error: String(error) }),
  );
});
process.once("disconnect", () => process.exit(0));
