// @ts-check
// The mix at its rate: whenever time has come, the next requests are sent, however long the ones before take.
import { setInterval } from "node:timers/promises";
import { Connection } from "./connection.mjs";
import { isSmallAnswer, kinds, otherWeights, pipelineDepth, smallRequest } from "./kinds.mjs";
import { Sockets } from "./sockets.mjs";

const tickMs = 5;
/** Kept connections at most. Where none is free the next requests have to wait, and are counted as held back. */
const mostConnections = 500;
/** Requests until the client ends a connection. */
const requestsPerConnection = 1_000;

export class Load {
  #port;
  #tally;
  #places;
  #sockets;
  /** The one unused for longest first, so that none idles until the agent closes it. @type {Connection[]} */
  #free = [];
  /** @type {Set<Promise<void>>} */
  #running = new Set();
  /** @type {string[]} */
  #deck = [];
  #index = 0;
  /** Moments at which nothing could be sent that was due: agent or machine were behind. */
  heldBack = 0;

  /**
   * @param {object} options
   * @param {number} options.port The agent's.
   * @param {import("./tally.mjs").Tally} options.tally
   * @param {readonly import("./place.mjs").Place[]} options.places Each as often as it is to be asked.
   * @param {readonly import("./place.mjs").Place[]} options.lasting Those that stay as they are.
   */
  constructor({ port, tally, places, lasting }) {
    this.#port = port;
    this.#tally = tally;
    this.#places = places;
    this.#sockets = new Sockets(port, tally, lasting);
  }

  /**
   * @param {object} options
   * @param {number} options.rate Requests and messages per second.
   * @param {number} options.ms
   * @param {AbortSignal} options.signal Ends it early.
   */
  async run({ rate, ms, signal }) {
    await this.#sockets.open();
    const startedAt = performance.now();
    const sentBefore = this.#tally.sent;
    for await (const _ of setInterval(tickMs)) {
      const passedMs = Math.min(performance.now() - startedAt, ms);
      const due = Math.floor((passedMs / 1_000) * rate);
      while (this.#tally.sent - sentBefore < due && this.#sendNext());
      if (passedMs >= ms || signal.aborted) break;
    }
    await Promise.all(this.#running);
    await this.#sockets.close();
    for (const connection of this.#free) connection.close();
  }

  /** Returns whether there was room for it. */
  #sendNext() {
    const kind = this.#draw();
    if (kind === "websocket" ? !this.#sockets.hasRoom : this.#running.size >= mostConnections) {
      this.#deck.push(kind);
      this.heldBack += 1;
      return false;
    }
    const done = this.#send(kind);
    this.#running.add(done);
    void done.finally(() => this.#running.delete(done));
    return true;
  }

  /** All kinds in their shares, in random order. */
  #draw() {
    if (this.#deck.length === 0) {
      const weights = {
        ...otherWeights,
        ...Object.fromEntries(Object.entries(kinds).map(([k, v]) => [k, v.weight])),
      };
      for (const [kind, weight] of Object.entries(weights)) {
        // A pipeline is many requests at once.
        const cards = kind === "pipelined" ? Math.ceil(weight / pipelineDepth) : weight;
        for (let card = 0; card < cards; card += 1) this.#deck.push(kind);
      }
      for (let at = this.#deck.length - 1; at > 0; at -= 1) {
        const other = Math.floor(Math.random() * (at + 1));
        [this.#deck[at], this.#deck[other]] = [this.#deck[other] ?? "", this.#deck[at] ?? ""];
      }
    }
    return this.#deck.pop() ?? "small";
  }

  /** @param {string} name @returns {Promise<void>} */
  #send(name) {
    if (name === "websocket") {
      this.#tally.send(name);
      return this.#sockets.send(this.#index++);
    }
    if (name === "pipelined") return this.#sendPipeline();
    const kind = kinds[name];
    if (kind === undefined) throw new Error(`no kind is called ${name}`);
    return this.#sendOne(name, kind);
  }

  #place() {
    const place = this.#places[Math.floor(Math.random() * this.#places.length)];
    if (place === undefined) throw new Error("there is no place to ask");
    return place;
  }

  /** @param {string} name @param {import("./kinds.mjs").Kind} kind */
  async #sendOne(name, kind) {
    this.#tally.send(name);
    const connection = kind.isAlone ? new Connection(this.#port) : this.#take();
    const index = this.#index++;
    const place = this.#place();
    const isExpected = place.expectation();
    const coming = kind.send(connection, index, place.headers);
    const label = `${name} ${index} to ${place.name}`;
    if (coming) await this.#tally.check(label, coming, isExpected, (answer) => kind.isRight(answer, index));
    if (!kind.isAlone) this.#giveBack(connection);
  }

  async #sendPipeline() {
    const requests = Array.from({ length: pipelineDepth }, () => {
      const place = this.#place();
      return { index: this.#index++, place, isExpected: place.expectation() };
    });
    this.#tally.send("pipelined", pipelineDepth);
    const connection = this.#take();
    const bytes = requests.map(({ index, place }) => smallRequest(index, place.headers)).join("");
    const answers = connection.send(bytes, pipelineDepth);
    await Promise.all(
      requests.map(({ index, place, isExpected }, at) => {
        const coming = answers[at];
        const isRight = (/** @type {import("./connection.mjs").Answer} */ answer) =>
          isSmallAnswer(answer, index);
        return (
          coming && this.#tally.check(`pipelined ${index} to ${place.name}`, coming, isExpected, isRight)
        );
      }),
    );
    this.#giveBack(connection);
  }

  #take() {
    for (let free = this.#free.shift(); free !== undefined; free = this.#free.shift()) {
      if (!free.isClosed) return free;
    }
    return new Connection(this.#port);
  }

  /** @param {Connection} connection */
  #giveBack(connection) {
    if (!connection.isClosed && connection.used < requestsPerConnection) {
      this.#free.push(connection);
      return;
    }
    connection.close();
  }
}
