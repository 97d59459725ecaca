import type { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@clew/context";
import type { Hook, Method } from "./hook.ts";

/** Where an object that belongs to one request keeps the request's context; null for one made outside of any scope. */
export const scope: unique symbol = Symbol("clew.context");

export interface Scoped {
  [scope]?: Context | null;
}

/**
 * Makes an `emit` run listeners in the scope of the object they listen to, for the events that Node emits from outside
 * of it: from callbacks that belong to the connection. Other events are the application's own, and are left alone, so
 * that a scope opened around `emit` counts.
 */
export function scopedEmit(
  hook: Hook,
  storage: AsyncLocalStorage<Context>,
  events: ReadonlySet<unknown>,
): (emit: Method) => Method {
  return (emit) =>
    function (this: Scoped, ...args) {
      const context = this[scope];
      if (!hook.active || context === undefined || !events.has(args[0])) {
        return Reflect.apply(emit, this, args);
      }
      return runIn(storage, context ?? undefined, emit, this, args);
    };
}

/** Spares a scope inside the same scope, since entering one is not free. Undefined is outside of any. */
export function runIn(
  storage: AsyncLocalStorage<Context>,
  context: Context | undefined,
  method: Method,
  self: unknown,
  args: unknown[],
): unknown {
  if (storage.getStore() === context) return Reflect.apply(method, self, args);
  return storage.run(context as Context, Reflect.apply, method, self, args);
}
