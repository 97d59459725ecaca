// @ts-check
// Requests at a fixed rate, a process of its own. Each has a moment at which it is due, and its latency counts from then,
// even where no connection was free to send it: a stall is not hidden by asking less. Never sleeps, since no timer of
// Node's is finer than a millisecond; back ends that wake up on the same core get it at once.
import { connect } from "node:net";
import { answerReader } from "./answer-reader.mjs";

/** @typedef {{ port: number, request: string, connections: number, rate: number, ms: number }} Order */
/** @typedef {{ socket: import("node:net").Socket, dueAt: number }} Lane */

/** After the last request was due, for its answer. */
const graceMs = 3_000;

class PacedLoad {
  /** @type {number[]} */
  #latencies = [];
  /** @type {Lane[]} */
  #free = [];
  /** Moments at which requests were due that no lane was free for. @type {number[]} */
  #waiting = [];
  /** @type {unknown} */
  #fault;
  #order;
  #request;

  /** @param {Order} order */
  constructor(order) {
    this.#order = order;
    this.#request = Buffer.from(order.request, "latin1");
  }

  async run() {
    const { connections, rate, ms } = this.#order;
    const total = Math.round((rate * ms) / 1_000);
    const lanes = await Promise.all(Array.from({ length: connections }, () => this.#open()));
    this.#free.push(...lanes);
    await this.#pace(total, 1_000 / rate, ms);
    const fault = this.#fault;
    for (const { socket } of lanes) socket.destroy();
    if (fault !== undefined) throw fault;
    const missing = total - this.#latencies.length;
    if (missing > 0) throw new Error(`${missing} of ${total} were not answered`);
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (/** @type {number} */ share) => (sorted[Math.floor(sorted.length * share)] ?? 0) * 1_000;
    return { requests: total, ms, p50Us: at(0.5), p99Us: at(0.99) };
  }

  /** @returns {Promise<Lane>} */
  #open() {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#order.port, host: "127.0.0.1", noDelay: true });
      const lane = { socket, dueAt: 0 };
      const fail = (/** @type {unknown} */ error) => {
        this.#fault ??= error;
        reject(error);
      };
      const read = answerReader(() => this.#answered(lane));
      socket.on("connect", () => resolve(lane));
      socket.on("error", fail);
      socket.on("close", () => fail(new Error("a connection was closed")));
      socket.on("data", (bytes) => {
        try {
          read(bytes);
        } catch (error) {
          fail(error);
        }
      });
    });
  }

  /** @param {Lane} lane */
  #answered(lane) {
    this.#latencies.push(performance.now() - lane.dueAt);
    const dueAt = this.#waiting.shift();
    if (dueAt === undefined) this.#free.push(lane);
    else this.#send(lane, dueAt);
  }

  /** @param {Lane} lane @param {number} dueAt */
  #send(lane, dueAt) {
    lane.dueAt = dueAt;
    lane.socket.write(this.#request);
  }

  /** Resolves when all are answered, something failed, or time is up. @param {number} total @param {number} intervalMs @param {number} ms */
  #pace(total, intervalMs, ms) {
    const startedAt = performance.now() + intervalMs;
    let sent = 0;
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      const turn = () => {
        const now = performance.now();
        for (; sent < total && startedAt + sent * intervalMs <= now; sent += 1) {
          const dueAt = startedAt + sent * intervalMs;
          const lane = this.#free.pop();
          if (lane === undefined) this.#waiting.push(dueAt);
          else this.#send(lane, dueAt);
        }
        const isOver = this.#latencies.length === total || now > startedAt + ms + graceMs;
        if (isOver || this.#fault !== undefined) resolve();
        else setImmediate(turn);
      };
      turn();
    });
  }
}

process.on("message", (/** @type {Order} */ order) => {
  new PacedLoad(order).run().then(
    (report) => process.send?.(report),
    (error) => process.send?.({ error: String(error) }),
  );
});
process.once("disconnect", () => process.exit(0));
