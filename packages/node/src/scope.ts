import type { Context, ScopeEntry } from "./context.ts";
import { ambientStorage } from "./context.ts";
import type { Hook, Method } from "./hook.ts";

/** Where an object that belongs to one request keeps the way into the request's scope. */
export const scopeEntry: unique symbol = Symbol("clew.scope");

export interface Scoped {
  [scopeEntry]?: ScopeEntry;
}

/** The way into the scope of a context. Spares a scope inside the same scope, since entering one is not free. */
export function entryTo(context: Context): ScopeEntry {
  const storage = ambientStorage();
  return (fn) => (storage.getStore() === context ? fn() : storage.run(context, fn));
}

/**
 * Makes an `emit` run listeners in the scope of the object they listen to, for the events that Node emits from outside
 * of it: from callbacks that belong to the connection. Other events are the application's own, and are left alone, so
 * that a scope opened around `emit` counts.
 */
export function scopedEmit(hook: Hook, events: ReadonlySet<unknown>): (emit: Method) => Method {
  return (emit) =>
    function (this: Scoped, ...args) {
      const enter = this[scopeEntry];
      if (!hook.active || enter === undefined || !events.has(args[0])) {
        return Reflect.apply(emit, this, args);
      }
      return enter(() => Reflect.apply(emit, this, args));
    };
}

/**
 * The same object whose own functions run in the scope that `enter` leads to. They are callbacks of one parameter, by the
 * number of which grpc-js tells them from others.
 */
export function bindMethods(object: unknown, enter: ScopeEntry): unknown {
  if (typeof object !== "object" || object === null) return object;
  const bound: Record<string, unknown> = Object.assign(Object.create(Object.getPrototypeOf(object)), object);
  for (const [name, method] of Object.entries(object)) {
    if (typeof method !== "function") continue;
    bound[name] = (argument: unknown) => enter(() => method.call(object, argument));
  }
  return bound;
}
