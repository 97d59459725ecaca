import type { Override, Rule, Table } from "@clew/routing";
import type { Clock } from "../clock.ts";

export function overrideOf(id: string, changes: Partial<Override> = {}): Override {
  return {
    id,
    route: id,
    service: "orders",
    port: "http",
    target: { kind: "tunnel", session: changes.session ?? "s1", port: 4005, relay: "127.0.0.1:7400" },
    owner: "anna",
    createdAt: 1_000,
    onFailure: "live",
    ...changes,
  };
}

export function ruleOf(id: string, override: Override): Rule {
  const { service, port, owner, createdAt } = override;
  return {
    id,
    service,
    port,
    owner,
    createdAt,
    priority: 0,
    conditions: [{ on: "method", equals: "GET" }],
    override,
  };
}

export function tableOf(changes: Partial<Table> = {}): Table {
  return { revision: 1, service: "orders", overrides: [], rules: [], wiretaps: [], ...changes };
}

/** A clock that stands until it is told to go on. */
export class TestClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly fn: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): () => void {
    const key = {};
    this.#timers.set(key, { at: this.#now + delayMs, fn });
    return () => this.#timers.delete(key);
  }

  get waiting(): number {
    return this.#timers.size;
  }

  /** Runs what comes due on the way, in its order. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [key, { at, fn }] = due;
      this.#timers.delete(key);
      this.#now = Math.max(this.#now, at);
      fn();
    }
    this.#now = end;
  }
}
