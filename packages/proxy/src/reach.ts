/** An attempt to get a connection. */
export interface Reach {
  /** What comes of it is told all the same: a connection may have been made in this very moment. */
  abort(): void;
}

/** Makes a connection within `timeoutMs`; exactly one of the two is called, and not at once, even when `connect` throws. */
export function reach<T>(
  connect: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  outcome: { reached(connection: T): void; failed(error: unknown): void },
): Reach {
  const controller = new AbortController();
  const late = (): void => controller.abort(new Error(`no connection within ${timeoutMs} ms`));
  const timer = setTimeout(late, timeoutMs);
  const connecting = async (): Promise<T> => connect(controller.signal);
  connecting().then(
    (connection) => {
      clearTimeout(timer);
      outcome.reached(connection);
    },
    (error: unknown) => {
      clearTimeout(timer);
      outcome.failed(error);
    },
  );
  return controller;
}
