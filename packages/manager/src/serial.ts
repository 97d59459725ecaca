/** Runs tasks of one name one after another, those of different names at once. Bounded by the calls in flight, whose tasks these are. */
export interface Serial {
  run<Result>(name: string, task: () => Promise<Result>): Promise<Result>;
}

export function createSerial(): Serial {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(name, task) {
      const before = tails.get(name) ?? Promise.resolve();
      const result = before.then(task);
      // The next task waits for the end, good or bad; the fault itself goes to the caller through `result`.
      const tail = result
        .catch(() => {})
        .then(() => {
          if (tails.get(name) === tail) tails.delete(name);
        });
      tails.set(name, tail);
      return result;
    },
  };
}
