import { ManagerError } from "./manager-error.ts";

/** Longest wait for the view to show a write. 5 s: below the 10 s that a caller waits for the whole call. */
const reachTimeoutMs = 5_000;

interface Waiter {
  readonly revision: number;
  end(error?: Error): void;
}

/** Lets writers through once what they wrote can be read. */
export class RevisionGate {
  readonly #waiters = new Set<Waiter>();
  #revision = 0;
  #isClosed = false;

  get revision(): number {
    return this.#revision;
  }

  /** The view shows this revision; nobody is let through before {@link open}. */
  advance(revision: number): void {
    this.#revision = revision;
  }

  open(): void {
    for (const waiter of this.#waiters) if (waiter.revision <= this.#revision) waiter.end();
  }

  reached(revision: number): Promise<void> {
    if (revision <= this.#revision) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        revision,
        end: (error) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          if (error) reject(error);
          else resolve();
        },
      };
      const timer = setTimeout(() => waiter.end(behind(revision, this.#revision)), reachTimeoutMs);
      this.#waiters.add(waiter);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#waiters) waiter.end(closed());
  }
}

function behind(revision: number, shown: number): ManagerError {
  const message = `The registry took the write as revision ${revision}, but has told this manager only up to ${shown}.`;
  return new ManagerError("E_REGISTRY_BEHIND", message, {
    retryable: true,
    hint: "The write was done. Look whether the manager can reach its registry, then ask again.",
  });
}

function closed(): ManagerError {
  return new ManagerError("E_MANAGER_CLOSING", "The manager is shutting down.", {
    retryable: true,
    hint: "The write may have been done; ask again when the manager is back.",
  });
}
