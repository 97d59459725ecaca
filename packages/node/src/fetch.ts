import { ambientStorage, type Context, emptyContext } from "@clew/context";
import { flatPairs, type HeaderList, headerValue, withFields, withoutNames } from "./header-list.ts";
import type { Hook } from "./hook.ts";
import type { Outgoing } from "./outgoing.ts";

/** What `fetch` and undici hand to a dispatcher, as far as it concerns us. */
interface DispatchOptions {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  readonly headers?: unknown;
  readonly [decided]?: Decided;
}

/** That it has been decided what a request carries, and for where. */
interface Decided {
  readonly origin: unknown;
  /** The headers that were added, lower case. */
  readonly names: readonly string[];
}

const decided: unique symbol = Symbol("clew.decided");

/** Where every copy of undici, Node's own included, keeps its global dispatcher; the second since undici 8. */
const globalDispatchers = [
  Symbol.for("undici.globalDispatcher.1"),
  Symbol.for("undici.globalDispatcher.2"),
] as const;

/**
 * Adds the context to what `fetch` sends. It is added in the first call of a dispatcher, which is made by whoever
 * makes the request: a pool dispatches what it queued from the scope of whichever request freed a connection, so
 * there, and in everything that undici publishes from there, the ambient context is another's.
 *
 * The classes are found when `fetch` is called, as Node loads its undici only then.
 */
export function hookFetch(hook: Hook, outgoing: Outgoing): void {
  const hooked = new WeakSet<object>();
  const hookDispatcher = (dispatcher: unknown): void => {
    if (typeof dispatcher !== "object" || dispatcher === null) return;
    let owner: object | null = Object.getPrototypeOf(dispatcher);
    for (; owner !== null && !hooked.has(owner); owner = Object.getPrototypeOf(owner)) {
      hooked.add(owner);
      if (Object.hasOwn(owner, "dispatch")) hookDispatch(hook, outgoing, owner);
    }
  };

  hook.replace(
    globalThis,
    "fetch",
    (fetch) =>
      function (this: unknown, ...args) {
        try {
          if (hook.active) {
            // Makes Node load its undici; a data URL opens no connection.
            if (globalDispatcher() === undefined) void fetch("data:,").catch(ignore);
            for (const symbol of globalDispatchers) hookDispatcher(Reflect.get(globalThis, symbol));
            hookDispatcher(args[1]?.dispatcher);
          }
        } catch (error) {
          hook.fail(error);
        }
        return Reflect.apply(fetch, this, args);
      },
  );
}

function globalDispatcher(): unknown {
  return Reflect.get(globalThis, globalDispatchers[0]);
}

/** Safe: the answer to a data URL is of no interest, and neither is its failure. */
function ignore(): void {}

function hookDispatch(hook: Hook, outgoing: Outgoing, owner: object): void {
  const storage = ambientStorage();
  hook.replace(
    owner,
    "dispatch",
    (dispatch) =>
      function (this: unknown, options: unknown, ...rest) {
        let changed = options;
        try {
          if (hook.active && typeof options === "object" && options !== null) {
            changed = decide(options, storage.getStore() ?? emptyContext, outgoing);
          }
        } catch (error) {
          hook.fail(error);
        }
        return Reflect.apply(dispatch, this, [changed, ...rest]);
      },
  );
}

/** The options to go on with: in the first call with the context added, in those that it leads to as they are. */
function decide(options: DispatchOptions, context: Context, outgoing: Outgoing): DispatchOptions {
  const { origin } = options;
  const earlier = options[decided];
  if (earlier !== undefined && earlier.origin === origin) return options;
  const headers = headersOf(options);
  if (headers === undefined) return options;
  if (earlier !== undefined) {
    // A dispatcher of the application's has followed a redirect, or gone to a proxy. Nothing is added any more:
    // which of the two it was cannot be seen, and a proxy hands on what it gets.
    if (earlier.names.length === 0 || isDestination(options, outgoing)) return options;
    return decidedAs(options, withoutNames(headers, earlier.names), { origin, names: [] });
  }
  if (!isDestination(options, outgoing)) return decidedAs(options, headers, { origin, names: [] });
  const fields = outgoing.fieldsFor(context, (name) => headerValue(headers, name));
  return decidedAs(options, withFields(headers, fields), { origin, names: fields.map(([name]) => name) });
}

/** Undefined for what undici refuses: it shall say so, as it would have. */
function headersOf({ headers }: DispatchOptions): HeaderList | undefined {
  if (headers === undefined || headers === null) return {};
  if (typeof headers !== "object") return undefined;
  if (Array.isArray(headers) || !(Symbol.iterator in headers)) return headers as HeaderList;
  return flatPairs(headers as Iterable<unknown>);
}

function isDestination({ origin, path, method }: DispatchOptions, outgoing: Outgoing): boolean {
  if (method === "CONNECT") return false;
  const host = hostOf(origin);
  if (host === undefined) return false;
  // To a proxy, the whole URL is the path.
  const target = typeof path === "string" && !path.startsWith("/") ? hostOf(path) : undefined;
  return outgoing.mayGoTo(host, target ?? host);
}

function hostOf(url: unknown): string | undefined {
  const text = String(url);
  return URL.canParse(text) ? new URL(text).hostname : undefined;
}

/** A copy, since options that the application made may be used again. */
function decidedAs(options: DispatchOptions, headers: unknown, decision: Decided): DispatchOptions {
  return Object.assign(Object.create(Object.getPrototypeOf(options)), options, {
    headers,
    [decided]: decision,
  });
}
