import type { Context, ScopeEntry } from "./context.ts";
import {
  contextHeadersIn,
  flatPairs,
  type HeaderField,
  type HeaderList,
  noContextHeaders,
  type OutgoingHeaders,
  outgoingFields,
  plusContext,
  withFields,
  withoutNames,
} from "./header-list.ts";
import type { Hook, Method } from "./hook.ts";
import { dispatchDecided, needsNoMark } from "./opentelemetry-undici.ts";
import type { Outgoing } from "./outgoing.ts";

/** What `fetch` and undici hand to a dispatcher, as far as it concerns us. */
export interface DispatchOptions {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  readonly headers?: unknown;
  readonly [decided]?: Decided;
}

/** What has been decided about a request; it goes with its options wherever undici takes them. */
interface Decided {
  /** Of whoever made the request. */
  readonly context: Context;
  /** Where to; undefined while that is not known, nothing having been added yet. */
  readonly origin: unknown;
  /** The headers that were added, if any were. */
  readonly added: OutgoingHeaders | undefined;
  /** See {@link DispatchDecision}. */
  readonly enter: ScopeEntry | undefined;
}

const decided: unique symbol = Symbol("clew.decided");

type Dispatch = (options: unknown, handler: unknown) => unknown;

/** The `dispatch` of every class of undici's that is met, each of them changed once. */
export interface DispatcherHook {
  /** Changes the classes of a dispatcher, given one or its prototype, until `hook` ends. What is none is left alone. */
  add(hook: Hook, dispatcher: unknown): void;
}

/**
 * Adds the context to what undici sends, Node's own or one from npm. It is added in the first call of a dispatcher,
 * which is made by whoever makes the request: a pool dispatches what it queued from the scope of whichever request
 * freed a connection, so there, and in everything that undici publishes from there, the ambient context is another's.
 */
export function createDispatcherHook(outgoing: Outgoing): DispatcherHook {
  const hooked = new WeakSet<object>();
  return {
    add(hook, dispatcher) {
      // Asked for every fetch, and answered here for all but the first.
      if (typeof dispatcher !== "object" || dispatcher === null || hooked.has(dispatcher)) return;
      const decideFor: Decide = (self, options, handler) => {
        try {
          if (hook.active && typeof options === "object" && options !== null) {
            return decide(options, self, handler, outgoing);
          }
        } catch (error) {
          hook.fail(error);
        }
        return options;
      };
      let owner: object | null = dispatcher;
      for (; owner !== null && !hooked.has(owner); owner = Object.getPrototypeOf(owner)) {
        hooked.add(owner);
        // A method of an object's own may be made anew for each, and leads to one of these.
        if (!Object.hasOwn(owner, "constructor")) continue;
        if (Object.hasOwn(owner, "dispatch")) hookDispatch(hook, owner, decideFor);
        if (Object.hasOwn(owner, "compose")) hookCompose(hook, owner, decideFor);
      }
    },
  };
}

/** The fields to add to a request that no dispatcher has decided about. */
export function fieldsForUndecided(request: DispatchOptions, outgoing: Outgoing): HeaderField[] {
  const headers = headersOf(request);
  const host = hostOf(request.origin);
  if (headers === undefined || !isDestination(request, host, outgoing)) return [];
  const existing = contextHeadersIn(headers);
  // With a caller, a dispatcher of ours has decided after all.
  if (existing["x-forrst-caller"] !== undefined) return [];
  return outgoing.fieldsFor(outgoing.ambientFor(host), existing);
}

/** Every copy of undici keeps its global dispatcher here, Node's own included; at the second place since undici 8. */
const globalDispatcher: unique symbol = Symbol.for("undici.globalDispatcher.1") as never;
const laterGlobalDispatcher: unique symbol = Symbol.for("undici.globalDispatcher.2") as never;

const globals = globalThis as { [globalDispatcher]?: unknown; [laterGlobalDispatcher]?: unknown };

/** Changes those that are set; false while there is none, that is, until some undici is loaded. */
export function addGlobalDispatchers(dispatchers: DispatcherHook, hook: Hook): boolean {
  const first = globals[globalDispatcher];
  const later = globals[laterGlobalDispatcher];
  if (first !== undefined) dispatchers.add(hook, first);
  if (later !== undefined && later !== first) dispatchers.add(hook, later);
  return first !== undefined || later !== undefined;
}

type Decide = (dispatcher: unknown, options: unknown, handler: unknown) => unknown;

function hookDispatch(hook: Hook, owner: object, decideFor: Decide): void {
  hook.replace(
    owner,
    "dispatch",
    (dispatch) =>
      function (this: unknown, options: unknown, handler: unknown) {
        const changed = decideFor(this, options, handler);
        const decision = (changed as DispatchOptions | undefined)?.[decided];
        return needsNoMark(decision)
          ? dispatch.call(this, changed, handler)
          : dispatchMarked(decision, dispatch, this, changed, handler);
      },
  );
}

/** Apart, since a function that makes another pays for it even where it does not get there. */
function dispatchMarked(
  decision: Decided | undefined,
  dispatch: Method,
  dispatcher: unknown,
  options: unknown,
  handler: unknown,
): unknown {
  return dispatchDecided(decision, () => dispatch.call(dispatcher, options, handler));
}

/** Interceptors may dispatch later, from anywhere, and again: so it is decided before the first of them. */
function hookCompose(hook: Hook, owner: object, decideFor: Decide): void {
  hook.replace(
    owner,
    "compose",
    (compose) =>
      function (this: unknown, ...args) {
        const interceptors: unknown[] = Array.isArray(args[0]) ? args[0] : args;
        const first =
          (dispatch: Dispatch): Dispatch =>
          (options, handler) =>
            dispatch(decideFor(this, options, handler), handler);
        // undici calls the last one first.
        return Reflect.apply(compose, this, hook.active ? [[...interceptors, first]] : args);
      },
  );
}

/** The options to go on with: in the first call with the context added, in those that it leads to as they are. */
function decide(
  options: DispatchOptions,
  dispatcher: unknown,
  handler: unknown,
  outgoing: Outgoing,
): DispatchOptions {
  const earlier = options[decided];
  // As a client is asked by a pool, and a pool by an agent.
  if (earlier?.origin !== undefined && earlier.origin === options.origin) return options;
  const origin = options.origin ?? originOf(dispatcher);
  if (earlier !== undefined && (origin === undefined || sameOrigin(earlier.origin, origin))) return options;
  const headers = headersOf(options);
  if (headers === undefined) return options;
  const host = hostOf(origin);
  if (earlier?.origin !== undefined) {
    // A dispatcher of the application's has followed a redirect, or gone to a proxy. Nothing is added any more:
    // which of the two it was cannot be seen, and a proxy hands on what it gets.
    if (earlier.added === undefined || isDestination(options, host, outgoing)) return options;
    const names = outgoingFields(earlier.added).map(([name]) => name);
    return decidedAs(options, withoutNames(headers, names), { ...earlier, origin, added: undefined });
  }
  const isAgain = dispatchesAgain(handler);
  const maker = earlier ?? (isAgain ? firsts.get(handler) : undefined);
  const context = maker?.context ?? outgoing.ambientFor(host ?? "");
  const enter = maker === undefined ? outgoing.sharedScope() : maker.enter;
  let changed = options.headers;
  let added: OutgoingHeaders | undefined;
  // A dispatcher that chooses among several upstreams asks the chosen one, with a place to go to.
  if (origin !== undefined && isDestination(options, host, outgoing)) {
    const existing = contextHeadersIn(headers);
    added = outgoing.headersFor(context, existing);
    changed =
      existing === noContextHeaders
        ? plusContext(headers, added)
        : withFields(headers, outgoingFields(added));
  }
  const decision: Decided = { context, enter, origin, added };
  if (maker === undefined && isAgain) firsts.set(handler, decision);
  return decidedAs(options, changed, decision);
}

const firsts = new WeakMap<object, Decided>();

/**
 * A handler that dispatches again by itself, from a timer or the scope of another's answer, does so with options that
 * it was made with, before anything was decided: undici's RetryHandler and RedirectHandler. Each serves one request.
 */
function dispatchesAgain(handler: unknown): handler is object {
  return typeof handler === "object" && handler !== null && "dispatch" in handler && "opts" in handler;
}

function sameOrigin(first: unknown, second: unknown): boolean {
  return first === second || (first !== undefined && String(first) === String(second));
}

/** Undefined for what undici refuses: it shall say so, as it would have. */
function headersOf({ headers }: DispatchOptions): HeaderList | undefined {
  if (headers === undefined || headers === null) return {};
  if (typeof headers !== "object") return undefined;
  if (Array.isArray(headers) || !(Symbol.iterator in headers)) return headers as HeaderList;
  return flatPairs(headers as Iterable<unknown>);
}

function isDestination(
  { path, method }: DispatchOptions,
  host: string | undefined,
  outgoing: Outgoing,
): host is string {
  if (method === "CONNECT" || host === undefined) return false;
  // To a proxy, the whole URL is the path.
  const target = typeof path === "string" && !path.startsWith("/") ? hostOf(path) : undefined;
  return outgoing.mayGoTo(host, target ?? host);
}

/** Distinct origins whose host is kept, as a process calls few very often and parsing costs more than all the rest. */
const maxKnownOrigins = 256;
const knownHosts = new Map<string, string>();

function hostOf(url: unknown): string | undefined {
  const text = String(url);
  const known = knownHosts.get(text);
  if (known !== undefined) return known;
  const host = parseHost(text);
  // What has a path, as a request to a proxy has, may be different each time.
  if (host !== undefined && isOrigin.test(text)) {
    if (knownHosts.size >= maxKnownOrigins) knownHosts.clear();
    knownHosts.set(text, host);
  }
  return host;
}

const isOrigin = /^https?:\/\/[^/?#]+\/?$/;

function parseHost(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

const ownOrigins = new WeakMap<object, string | undefined>();

/**
 * Where a client or pool of one origin leads, for requests that name none. Undici keeps it under a symbol of its own,
 * `Symbol(url)` from version 4 to 8, and tells it in no other way.
 */
function originOf(dispatcher: unknown): string | undefined {
  if (typeof dispatcher !== "object" || dispatcher === null) return undefined;
  if (ownOrigins.has(dispatcher)) return ownOrigins.get(dispatcher);
  const symbol = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === "url");
  const url: unknown = symbol === undefined ? undefined : Reflect.get(dispatcher, symbol);
  const origin = url instanceof URL ? url.origin : undefined;
  ownOrigins.set(dispatcher, origin);
  return origin;
}

/** A copy, since options that the application made may be used again. */
function decidedAs(options: DispatchOptions, headers: unknown, decision: Decided): DispatchOptions {
  const prototype = Object.getPrototypeOf(options);
  // Not `{ ...options }`: what is added to that costs Node 20 ten times as much as the copy.
  const copy: { headers?: unknown; [decided]?: Decided } = Object.assign(
    prototype === Object.prototype ? {} : Object.create(prototype),
    options,
  );
  copy.headers = headers;
  copy[decided] = decision;
  return copy;
}
