import type { JsonValue } from "@clew/wire";
import type { Carrier } from "./carriers/carrier.ts";
import { type Context, emptyContext, type FieldChanges } from "./context.ts";
import { extractContext } from "./extract.ts";
import { type AttributeValue, attributesOf, logFields } from "./log-fields.ts";
import { SharedStorage } from "./opentelemetry/shared-storage.ts";

const storageKey: unique symbol = Symbol.for("clew.context.storage.1") as never;

interface StorageHolder {
  [storageKey]?: SharedStorage;
}

/**
 * The process's one AsyncLocalStorage for contexts, made on first use and shared by every copy of this package:
 * each further one would cost every `await` (isolation rule of the wire contract). Where an OpenTelemetry SDK is
 * active, it is that SDK's.
 */
export function ambientStorage(): SharedStorage {
  const holder = globalThis as StorageHolder;
  let storage = holder[storageKey];
  if (storage === undefined) {
    storage = new SharedStorage();
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
  /** Runs `fn` in the scope of a context, or of the context that a carrier holds. */
  run<T>(scope: Context | Carrier, fn: () => T): T;
  /** A function that will run in the scope of now, or outside of any if there is none now, whoever calls it. */
  bind<F extends (...args: never[]) => unknown>(fn: F): F;
  /** What a log line says of the current context, `{}` outside of any: `pino({ mixin: () => context.log() })`. */
  log(): Record<string, JsonValue>;
  /** The same for spans and log records of OpenTelemetry: `span.setAttributes(context.attributes())`. */
  attributes(): Record<string, AttributeValue>;
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
  run(from, fn) {
    const storage = ambientStorage();
    const scope = isContext(from) ? from : extractContext(from);
    // Entering a scope costs ten times as much as looking which one it is.
    return storage.getStore() === scope ? fn() : storage.run(scope, fn);
  },
  bind<F extends (...args: never[]) => unknown>(fn: F): F {
    const enter = ambientStorage().capture();
    return function (this: unknown, ...args: never[]): unknown {
      return enter(() => fn.apply(this, args));
    } as F;
  },
  log() {
    return logFields(context.current() ?? emptyContext);
  },
  attributes() {
    return attributesOf(context.current() ?? emptyContext);
  },
};

/** By shape, since it may come from another copy of this package. */
function isContext(from: Context | Carrier): from is Context {
  return "baggage" in from;
}
