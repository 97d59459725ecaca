import { RpcError } from "../rpc-error.ts";

export interface Deadline {
  /** Aborts with the caller's reason, or with DEADLINE_EXCEEDED. */
  readonly signal: AbortSignal;
  /** 0 when it has passed. */
  remainingMs(): number;
  clear(): void;
}

/** Joins a caller's signal and a time limit; `clear` must be called, so that neither keeps the other alive. */
export function createDeadline(timeoutMs: number, signal: AbortSignal | undefined, what: string): Deadline {
  const controller = new AbortController();
  const endsAt = performance.now() + timeoutMs;
  const onAbort = (): void => controller.abort(signal?.reason);
  const expire = (): void => {
    const message = `${what} gave no whole answer within ${Math.round(timeoutMs)} ms`;
    controller.abort(new RpcError("DEADLINE_EXCEEDED", message));
  };
  const timer = setTimeout(expire, Math.ceil(timeoutMs));
  if (timeoutMs <= 0) expire();
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, endsAt - performance.now()),
    clear() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}
