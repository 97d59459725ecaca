// @ts-check
// WebSockets that stay for a while, on each a message now and then, and each sent back by the side it was opened to.
import { once } from "node:events";
import { WebSocket } from "ws";
import { answerTimeoutMs } from "./connection.mjs";

const socketCount = 40;
/** Messages until a socket makes room for a new one. */
const messagesPerSocket = 100;

export class Sockets {
  #port;
  #tally;
  #places;
  /** @type {WebSocket[]} */
  #free = [];
  #all = new Set();
  #opened = 0;
  /** @type {WeakMap<WebSocket, { place: import("./place.mjs").Place, used: number, decision: string, answer: ((text: string) => void) | undefined }>} */
  #state = new WeakMap();

  /**
   * @param {number} port @param {import("./tally.mjs").Tally} tally
   * @param {readonly import("./place.mjs").Place[]} places Those that do not change: a socket stays where it was opened.
   */
  constructor(port, tally, places) {
    this.#port = port;
    this.#tally = tally;
    this.#places = places;
  }

  async open() {
    await Promise.all(Array.from({ length: socketCount }, () => this.#openOne()));
  }

  async #openOne() {
    const place = this.#places[this.#opened++ % this.#places.length];
    if (place === undefined) return;
    const lines = place.headers.split("\r\n").filter((line) => line !== "");
    const headers = Object.fromEntries(lines.map((line) => line.split(": ")));
    // Who falls back at the handshake answers wrongly ever after: a fault says what was decided then.
    if (headers["baggage"] !== undefined) headers["baggage"] += ",clew-explain=soak";
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/socket`, {
      headers,
      perMessageDeflate: false,
      handshakeTimeout: answerTimeoutMs,
    });
    this.#all.add(socket);
    const state = { place, used: 0, decision: "", answer: undefined };
    this.#state.set(socket, state);
    socket.on("upgrade", ({ headers: answered }) => {
      state.decision = String(answered["clew-decision"]);
    });
    socket.on("message", (data) => this.#state.get(socket)?.answer?.(String(data)));
    socket.on("error", (error) =>
      this.#tally.fault("failed", `WebSocket to ${place.name}: ${error.message}`),
    );
    socket.on("close", () => this.#all.delete(socket));
    await once(socket, "open").then(
      () => this.#free.push(socket),
      () => this.#all.delete(socket),
    );
  }

  get hasRoom() {
    return this.#free.length > 0;
  }

  /** Sends one message, for which there must be room. @param {number} index */
  async send(index) {
    const socket = this.#free.shift();
    const state = socket && this.#state.get(socket);
    if (socket === undefined || state === undefined) throw new Error("no WebSocket is free");
    const { place, decision } = state;
    const isExpected = place.expectation();
    const text = `message ${index} ${"m".repeat(index % 90)}`;
    const label = `WebSocket message ${index} to ${place.name}`;
    try {
      const answer = await this.#ask(socket, state, text);
      const [side = ""] = answer.split(" ", 1);
      if (!isExpected(side))
        this.#tally.fault("wrongPlace", `${label}: answered by ${side}, decided: ${decision}`);
      else if (answer === `${side} ${text}`) this.#tally.right += 1;
      else this.#tally.fault("wrongBytes", `${label}: ${answer}`);
    } catch (error) {
      this.#tally.fault("failed", `${label}: ${/** @type {Error} */ (error).message}`);
      socket.terminate();
    }
    state.used += 1;
    if (state.used < messagesPerSocket && socket.readyState === WebSocket.OPEN) {
      this.#free.push(socket);
      return;
    }
    socket.close();
    await this.#openOne();
  }

  /**
   * @param {WebSocket} socket @param {{ answer: ((text: string) => void) | undefined }} state @param {string} text
   * @returns {Promise<string>}
   */
  #ask(socket, state, text) {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(new Error("the connection was closed before the answer"));
      const timer = setTimeout(
        () => reject(new Error(`no answer within ${answerTimeoutMs} ms`)),
        answerTimeoutMs,
      );
      socket.once("close", onClose);
      state.answer = (answer) => {
        clearTimeout(timer);
        socket.off("close", onClose);
        state.answer = undefined;
        resolve(answer);
      };
      socket.send(text);
    });
  }

  async close() {
    const closing = [...this.#all].map((socket) => once(socket, "close"));
    for (const socket of this.#all) socket.close();
    await Promise.all(closing);
  }
}
