import { setTimeout as delay } from "node:timers/promises";
import { type DirectoryChange, DirectoryState, type View } from "./directory-state.ts";
import { recordPrefix } from "./records.ts";
import type { Registry, WatchEvent } from "./registry/registry.ts";
import { RevisionGate } from "./revision-gate.ts";

export interface DirectoryOptions {
  readonly registry: Registry;
  readonly monotonicMs: () => number;
  /** The watch broke, or a record could not be read; the directory goes on by itself. */
  readonly onFault: (fault: DirectoryFault) => void;
}

interface DirectoryFault {
  readonly what: "watch" | "record";
  readonly key?: string | undefined;
  readonly error: unknown;
}

/** Wait before a broken watch is begun anew: the registry's own client has tried for longer by then. */
const rewatchDelayMs = 500;

/** Lists, then watches for ever. Rejects when the first listing fails. */
export async function startDirectory(options: DirectoryOptions): Promise<Directory> {
  const directory = new Directory(options);
  await directory.start();
  return directory;
}

/** The state as the registry tells it. Several managers over one registry come to the same view, in the same order. */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #state: DirectoryState;
  readonly #gate = new RevisionGate();
  readonly #listeners: Array<(change: DirectoryChange) => void> = [];
  readonly #closing = new AbortController();
  /** The revision of the last event that was applied; the gate has the one that all have been told of. */
  #applied = 0;
  #flushing: NodeJS.Immediate | undefined;
  #running: Promise<void> = Promise.resolve();
  #following = true;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#state = new DirectoryState(options.monotonicMs);
  }

  get view(): View {
    return this.#state;
  }

  /** The registry's revision that the view shows. */
  get revision(): number {
    return this.#gate.revision;
  }

  /** False while the registry cannot be watched; the view then stays what it was. */
  get following(): boolean {
    return this.#following;
  }

  async start(): Promise<void> {
    await this.#load();
    this.#running = this.#run();
  }

  /**
   * Resolves once the view shows this revision and all listeners have been told: a writer then reads its own write.
   * Rejects with `E_REGISTRY_BEHIND` when that takes too long, with `E_MANAGER_CLOSING` when the directory is closed.
   */
  reached(revision: number): Promise<void> {
    return this.#gate.reached(revision);
  }

  /** Called once for all events that arrived together, so a transaction is seen whole. Ends with the directory. */
  onChange(listener: (change: DirectoryChange) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#flushing) clearImmediate(this.#flushing);
    this.#gate.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#follow();
        if (signal.aborted) return;
        await this.#load();
        this.#following = true;
      } catch (error) {
        if (signal.aborted) return;
        if (this.#following) this.#options.onFault({ what: "watch", error });
        this.#following = false;
        // Aborted: the loop ends.
        await delay(rewatchDelayMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #load(): Promise<void> {
    const { entries, revision } = await this.#options.registry.list(recordPrefix);
    for (const event of this.#state.eventsTo(entries, revision)) this.#apply(event);
    this.#applied = revision;
    this.#flush();
  }

  /** Until the history that it needs is gone, or the directory is closed. */
  async #follow(): Promise<void> {
    const events = this.#options.registry.watch(recordPrefix, this.#applied, this.#closing.signal);
    for await (const event of events) {
      if (event.kind === "compacted") return;
      this.#apply(event);
      this.#applied = event.kind === "put" ? event.entry.revision : event.revision;
      // Events of one transaction arrive in one turn of the event loop; they are told after it.
      this.#flushing ??= setImmediate(() => this.#flush());
    }
  }

  #apply(event: Exclude<WatchEvent, { kind: "compacted" }>): void {
    try {
      this.#state.apply(event);
    } catch (error) {
      const key = event.kind === "put" ? event.entry.key : event.key;
      this.#options.onFault({ what: "record", key, error });
    }
  }

  #flush(): void {
    this.#flushing = undefined;
    // Listeners read the revision that they are told of.
    this.#gate.advance(this.#applied);
    const change = this.#state.takeChange();
    for (const listener of this.#listeners) listener(change);
    this.#gate.open();
  }
}
