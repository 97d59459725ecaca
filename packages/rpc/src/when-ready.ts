/** A value that is there now, or comes later. */
export type Soon<T> = T | Promise<T>;

/**
 * Goes on at once where nothing has to be awaited: a call whose steps are all synchronous is answered in the turn in
 * which its last byte came, without a promise. What `next` throws is thrown, or rejects.
 */
export function whenReady<T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Of whatever library. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
