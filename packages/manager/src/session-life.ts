import type { Core } from "./core.ts";
import { recordKey } from "./records.ts";
import { updateSession } from "./sessions.ts";

/** Keeps what the registry says of sessions true to what the relay sees of them. Never throws; the relay does not wait. */
export interface SessionLife {
  /** The *in* connection gave a sign of life: the lease begins anew. */
  seen(session: string): void;
  /** The *in* connection opened or ended. */
  changed(session: string): void;
  /** Resolves when all that was begun is written. */
  settled(): Promise<void>;
}

export function createSessionLife(core: Core, isConnected: (session: string) => boolean): SessionLife {
  const { registry, directory, log } = core;
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  let failing = false;

  /** One run a task at a time; what comes meanwhile makes one more run, so nothing piles up (I8). */
  const run = (name: string, task: () => Promise<void>): void => {
    if (running.has(name)) {
      again.add(name);
      return;
    }
    const ended = task().then(
      () => {
        failing = false;
      },
      (error: unknown) => {
        if (!failing)
          log.warn(
            { event: "session.write_failed", task: name, err: error },
            "A session could not be kept up.",
          );
        failing = true;
      },
    );
    running.set(
      name,
      ended.then(() => {
        running.delete(name);
        if (again.delete(name)) run(name, task);
      }),
    );
  };

  const beat = async (session: string): Promise<void> => {
    const record = directory.view.sessions.get(session);
    if (!record) return;
    const lease = await registry.findLease(record.lease);
    // A lease that is gone took the session with it; the directory hears of that by itself.
    if (!(await lease?.keepAlive())) return;
    await registry.put(recordKey("beats", session), "{}", { lease: record.lease });
  };

  /** Writes the state that holds when it runs, so the order of openings and endings does not matter. */
  const sync = async (session: string): Promise<void> => {
    await updateSession(core, session, (current) => {
      const connected = isConnected(session);
      const isHere = current.relay === core.relay;
      // Nothing is new, or it has gone to another manager, which tells of it from then on.
      if (isHere ? connected === current.connected : !connected) return undefined;
      log.info(
        { event: "session.state", session, connected, owner: current.owner },
        "A session came or went away.",
      );
      return { ...current, connected, relay: core.relay };
    });
  };

  return {
    seen: (session) => run(`beat ${session}`, () => beat(session)),
    changed: (session) => run(`state ${session}`, () => sync(session)),
    async settled() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}
