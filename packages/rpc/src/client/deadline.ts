import { RpcError } from "../rpc-error.ts";

export interface Deadline {
  /** Aborts with the caller's reason, or with DEADLINE_EXCEEDED. */
  readonly signal: AbortSignal;
  clear(): void;
}

/** Joins a caller's signal and a time limit; `clear` must be called, so that neither keeps the other alive. */
export function createDeadline(timeoutMs: number, signal: AbortSignal | undefined, what: string): Deadline {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => {
    controller.abort(
      new RpcError("DEADLINE_EXCEEDED", `${what} gave no whole answer within ${timeoutMs} ms`),
    );
  }, timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}
