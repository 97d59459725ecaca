import { AsyncLocalStorage } from "node:async_hooks";
import type { JsonValue } from "@clew/wire";
import { type Context, emptyContext, type FieldChanges } from "./context.ts";

const storageKey: unique symbol = Symbol.for("clew.context.storage.1") as never;

interface StorageHolder {
  [storageKey]?: AsyncLocalStorage<Context>;
}

/**
 * The process's one AsyncLocalStorage for contexts, made on first use and shared by every copy of this package:
 * each further one would cost every `await` (isolation rule of the wire contract).
 */
export function ambientStorage(): AsyncLocalStorage<Context> {
  const holder = globalThis as StorageHolder;
  let storage = holder[storageKey];
  if (storage === undefined) {
    storage = new AsyncLocalStorage<Context>();
    Object.defineProperty(holder, storageKey, { value: storage });
  }
  return storage;
}

/** The context of the request that is being worked on, for application code. */
export interface AmbientContext {
  /** undefined outside of any request. */
  current(): Context | undefined;
  /** A custom field of the current context. */
  get(name: string): JsonValue | undefined;
  /** Runs `fn` in a child scope with some fields changed. Throws as `Context.with` does. */
  with<T>(fields: FieldChanges, fn: () => T): T;
  /** Runs `fn` in the scope of a context. */
  run<T>(context: Context, fn: () => T): T;
  /** A function that will run in the scope of now, or outside of any if there is none now, whoever calls it. */
  bind<F extends (...args: never[]) => unknown>(fn: F): F;
}

export const context: AmbientContext = {
  current() {
    return ambientStorage().getStore();
  },
  get(name) {
    return ambientStorage().getStore()?.get(name);
  },
  with(fields, fn) {
    return context.run((context.current() ?? emptyContext).with(fields), fn);
  },
  run(scope, fn) {
    const storage = ambientStorage();
    // Entering a scope costs ten times as much as looking which one it is.
    return storage.getStore() === scope ? fn() : storage.run(scope, fn);
  },
  bind<F extends (...args: never[]) => unknown>(fn: F): F {
    const storage = ambientStorage();
    const scope = storage.getStore();
    return function (this: unknown, ...args: never[]): unknown {
      return storage.run(scope as Context, () => fn.apply(this, args));
    } as F;
  },
};
