import type { WatchEvent } from "./registry.ts";
import { RegistryError } from "./registry-error.ts";
import type { ChangeEvent } from "./store.ts";

export interface HistoryLimits {
  readonly historyEvents: number;
  readonly historyBytes: number;
  readonly watchers: number;
}

/**
 * The last events, which every watcher reads at its own pace: none has a queue of its own (I8). One
 * that falls behind what is kept is told `compacted` and lists again.
 */
export class History {
  readonly #limits: HistoryLimits;
  readonly #events: ChangeEvent[] = [];
  /** The running number of `#events[0]`. */
  #first = 0;
  #bytes = 0;
  /** The revision of the last event that was dropped. */
  #compactedRevision: number;
  #watchers = 0;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(limits: HistoryLimits, sinceRevision: number) {
    this.#limits = limits;
    this.#compactedRevision = sinceRevision;
  }

  push(events: readonly ChangeEvent[]): void {
    if (events.length === 0) return;
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += sizeOf(event);
    }
    let dropped = 0;
    while (
      this.#events.length - dropped > this.#limits.historyEvents ||
      this.#bytes > this.#limits.historyBytes
    ) {
      const event = this.#events[dropped];
      if (event === undefined) break;
      this.#bytes -= sizeOf(event);
      this.#compactedRevision = revisionOf(event);
      dropped += 1;
    }
    this.#events.splice(0, dropped);
    this.#first += dropped;
    this.#wake();
  }

  /** Ends when the signal aborts or the history is closed. Throws E_REGISTRY_LIMIT. */
  async *watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    if (this.#watchers >= this.#limits.watchers) {
      throw new RegistryError("E_REGISTRY_LIMIT", `${this.#watchers} watches run; that is the most.`);
    }
    this.#watchers += 1;
    try {
      yield* this.#eventsAfter(prefix, afterRevision, signal);
    } finally {
      this.#watchers -= 1;
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *#eventsAfter(
    prefix: string,
    afterRevision: number,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void> {
    let next = afterRevision < this.#compactedRevision ? -1 : this.#first;
    while (!signal.aborted && !this.#closed) {
      if (next < this.#first) {
        yield { kind: "compacted", revision: this.#compactedRevision };
        return;
      }
      const event = this.#events[next - this.#first];
      if (event === undefined) {
        await this.#pushed(signal);
        continue;
      }
      next += 1;
      if (revisionOf(event) > afterRevision && keyOf(event).startsWith(prefix)) yield event;
    }
  }

  #pushed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}

function keyOf(event: ChangeEvent): string {
  return event.kind === "put" ? event.entry.key : event.key;
}

function revisionOf(event: ChangeEvent): number {
  return event.kind === "put" ? event.entry.revision : event.revision;
}

/** A string takes at most two bytes a code unit. */
function sizeOf(event: ChangeEvent): number {
  return 2 * (keyOf(event).length + (event.kind === "put" ? event.entry.value.length : 0));
}
