// @ts-check
// A developer's side: sessions with their tunnels, and overrides that are made and ended all the time. Each tells its place
// what to expect, and counts a fault where an agent does not come to know of a change.
import { setTimeout } from "node:timers/promises";
import { createManagerClient } from "@clew/control";
import { until } from "@clew/testing";
import { startTunnel } from "@clew/tunnel";
import { answerTimeoutMs, Connection } from "./connection.mjs";
import { smallRequest } from "./kinds.mjs";

/** From the manager's answer until the agent must have its new table. */
const tableTimeoutMs = 10_000;
const connectTimeoutMs = 15_000;
/** For what runs through a session's tunnel when the session ends. */
const drainGraceMs = answerTimeoutMs;
/** How long an override stays, and stays away: at least, and what chance adds. */
const stayMs = { least: 300, more: 1_500 };

/** @typedef {import("./place.mjs").Place} Place */
/** @typedef {{ manager: { host: string, port: number }, agentPort: number, developerPort: number, tally: import("./tally.mjs").Tally, service: string }} World */

export class Developer {
  #world;
  #client;
  #stop = new AbortController();
  /** @type {Promise<void>[]} */
  #turns = [];
  /** @type {Awaited<ReturnType<Developer["openSession"]>> | undefined} */
  #steady;
  /** Overrides and rules that came to be and ended. */
  made = 0;

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
    const { host, port } = world.manager;
    this.#client = createManagerClient({ url: `http://${host}:${port}`, service: "soak" });
  }

  /** A session whose tunnel stands. */
  async openSession() {
    const { manager, developerPort } = this.#world;
    const first = await this.#client.sessions.open({ owner: "soak", host: "soak" });
    let hasDialled = false;
    const tunnel = startTunnel({
      manager,
      authenticate: async () => {
        if (hasDialled) return this.#client.sessions.resume({ session: first.session, token: first.token });
        hasDialled = true;
        return first;
      },
      isOffered: (port) => port === developerPort,
    });
    const isConnected = () => tunnel.state.phase === "connected";
    await until(isConnected, { timeoutMs: connectTimeoutMs, what: "the tunnel stands" });
    const proof = { session: first.session, token: first.token };
    const close = async () => {
      await tunnel.close({ graceMs: drainGraceMs });
      await this.#client.sessions.close(proof);
    };
    return { ...proof, close };
  }

  /**
   * Makes the override that stays, and begins to make and end the others.
   * @param {{ steady: Place, shared: Place, address: Place, session: Place, rule: Place }} places
   */
  async start(places) {
    const session = await this.openSession();
    this.#steady = session;
    const tunnel = this.#tunnel();
    const address = /** @type {const} */ ({
      kind: "address",
      url: `http://127.0.0.1:${this.#world.developerPort}`,
    });
    await this.#make(places.steady, () => this.#put(session, "steady", tunnel));
    this.#repeat(() => this.#takeTurn(places.shared, () => this.#put(session, "shared", tunnel)));
    this.#repeat(() => this.#takeTurn(places.address, () => this.#put(session, "address", address)));
    this.#repeat(() => this.#takeTurn(places.rule, () => this.#putRule(session)));
    this.#repeat(async () => {
      const own = await this.openSession();
      try {
        await this.#takeTurn(places.session, () => this.#put(own, "session", tunnel));
      } finally {
        await own.close();
      }
    });
  }

  /** Ends what is under way in its order. */
  async close() {
    this.#stop.abort();
    await Promise.all(this.#turns);
    await this.#steady?.close();
    this.#client.close();
  }

  #tunnel() {
    return /** @type {const} */ ({ kind: "tunnel", port: this.#world.developerPort });
  }

  /** @param {() => Promise<void>} turn */
  #repeat(turn) {
    const run = async () => {
      while (!this.#stop.signal.aborted) {
        try {
          await turn();
        } catch (error) {
          this.#world.tally.fault("failed", `an override's turn: ${/** @type {Error} */ (error).message}`);
          await this.#pause();
        }
      }
    };
    this.#turns.push(run());
  }

  /** @param {Place} place @param {() => Promise<() => Promise<unknown>>} put */
  async #takeTurn(place, put) {
    const end = await this.#make(place, put);
    await this.#pause();
    place.become("either");
    await end();
    await this.#isAnsweredBy(place, "live");
    place.become("live");
    this.made += 1;
    await this.#pause();
  }

  /** @param {Place} place @param {() => Promise<() => Promise<unknown>>} put */
  async #make(place, put) {
    place.become("either");
    const end = await put();
    await this.#isAnsweredBy(place, "developer");
    place.become("developer");
    return end;
  }

  /**
   * @param {{ session: string, token: string }} session @param {string} route
   * @param {import("@clew/control").OverrideRequest["target"]} target
   */
  async #put({ session, token }, route, target) {
    const { service } = this.#world;
    const { override } = await this.#client.overrides.put({
      session,
      token,
      override: { route, service, target, onFailure: "live" },
    });
    return () => this.#client.overrides.delete({ session, token, id: override.id });
  }

  /** @param {{ session: string, token: string }} session */
  async #putRule({ session, token }) {
    const { service } = this.#world;
    const conditions = [{ on: /** @type {const} */ ("header"), name: "x-soak", equals: "rule" }];
    const { rule } = await this.#client.rules.put({
      session,
      token,
      rule: { service, target: this.#tunnel(), conditions },
    });
    return () => this.#client.rules.delete({ session, token, id: rule.id });
  }

  /** Asks until the side answers; from then on it has to. @param {Place} place @param {"live" | "developer"} wanted */
  async #isAnsweredBy(place, wanted) {
    const ask = async () => {
      const connection = new Connection(this.#world.agentPort);
      const [answer] = connection.send(smallRequest(0, place.headers));
      const side = (await answer)?.side;
      connection.close();
      return side === wanted;
    };
    await until(ask, { timeoutMs: tableTimeoutMs, what: `${place.name} is answered by ${wanted}` });
  }

  async #pause() {
    const { signal } = this.#stop;
    await setTimeout(stayMs.least + Math.random() * stayMs.more, undefined, { signal }).catch(() => {
      // Safe: only the stop rejects it, and whoever waits here then ends its turn.
    });
  }
}
