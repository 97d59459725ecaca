/** Wakes all who wait. Nothing is queued: whoever wakes looks at the state itself, so a slow watcher costs no memory (I8). */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, after `timeoutMs`, or when the signal aborts; never rejects. */
  wait(timeoutMs: number | undefined, signal: AbortSignal): Promise<"rung" | "timeout" | "aborted">;
}

export function createBell(): Bell {
  const waiting = new Set<() => void>();
  return {
    ring() {
      for (const wake of [...waiting]) wake();
    },
    wait(timeoutMs, signal) {
      if (signal.aborted) return Promise.resolve("aborted");
      return new Promise((resolve) => {
        const end = (outcome: "rung" | "timeout" | "aborted") => {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          waiting.delete(onRing);
          resolve(outcome);
        };
        const onRing = () => end("rung");
        const onAbort = () => end("aborted");
        const timer = timeoutMs === undefined ? undefined : setTimeout(() => end("timeout"), timeoutMs);
        signal.addEventListener("abort", onAbort);
        waiting.add(onRing);
      });
    },
  };
}
