import type { Context } from "./context.ts";
import { type DispatchDecision, dispatchDecided, isPending, needsNoMark } from "./current-dispatch.ts";
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
import type { Hook } from "./hook.ts";
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
interface Decided extends DispatchDecision {
  /** Of whoever made the request. */
  readonly context: Context;
  /** Where to; undefined while that is not known, nothing having been added yet. */
  readonly origin: unknown;
}

const decided: unique symbol = Symbol("clew.decided");

type Dispatch = (options: unknown, handler: unknown) => unknown;

/** The `dispatch` of every class of undici's that is met, each of them changed once. */
export interface DispatcherHook {
  /** Changes the classes of a dispatcher, given one or its prototype, until `hook` ends. What is none is left alone. */
  add(hook: Hook, dispatcher: unknown): void;
  /**
   * Says that as long as this hook is active {@link addPending} is called for each request that undici has made. So the
   * headers can be put in there, for half the work of putting them into a copy of the options that it is made from.
   */
  addToRequests(hook: Hook): void;
}

/**
 * Adds the context to what undici sends, Node's own or one from npm. It is added in the first call of a dispatcher,
 * which is made by whoever makes the request: a pool dispatches what it queued from the scope of whichever request
 * freed a connection, so there, and in everything that undici publishes from there, the ambient context is another's.
 */
export function createDispatcherHook(outgoing: Outgoing): DispatcherHook {
  const hooked = new WeakSet<object>();
  let adding: Hook | undefined;
  return {
    addToRequests(hook) {
      adding = hook;
    },
    add(hook, dispatcher) {
      // Asked for every fetch, and answered here for all but the first.
      if (!isObject(dispatcher) || hooked.has(dispatcher)) return;
      const decideFor: Decide = (self, options, handler) => {
        try {
          if (hook.active && isObject(options)) return decide(options, self, handler, outgoing);
        } catch (error) {
          hook.fail(error);
        }
        return options;
      };
      const decideDirectlyFor: DecideDirectly = (self, options, handler) => {
        try {
          if (hook.active && adding?.active === true && isPlainAgent(self)) {
            return decideDirectly(options, handler, outgoing);
          }
        } catch (error) {
          hook.fail(error);
        }
        return undefined;
      };
      let owner: object | null = dispatcher;
      for (; owner !== null && !hooked.has(owner); owner = Object.getPrototypeOf(owner)) {
        hooked.add(owner);
        // A method of an object's own may be made anew for each, and leads to one of these.
        if (!Object.hasOwn(owner, "constructor")) continue;
        if (Object.hasOwn(owner, "dispatch")) hookDispatch(hook, owner, decideFor, decideDirectlyFor);
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
type DecideDirectly = (dispatcher: unknown, options: unknown, handler: unknown) => Decided | undefined;

function hookDispatch(hook: Hook, owner: object, decideFor: Decide, decideDirectlyFor: DecideDirectly): void {
  hook.replace(
    owner,
    "dispatch",
    (dispatch) =>
      function (this: unknown, options: unknown, handler: unknown) {
        // On from the dispatcher that was given it to the one of its origin.
        if (isPending(options)) return dispatch.call(this, options, handler);
        const direct = decideDirectlyFor(this, options, handler);
        if (direct !== undefined) {
          const result = dispatchDecided(direct, dispatch, this, options, handler);
          // It was queued after all: whoever takes it from there knows it by its handler.
          if (direct.pending !== undefined) firsts.set(handler as object, direct);
          return result;
        }
        const changed = decideFor(this, options, handler);
        const decision = (changed as DispatchOptions | undefined)?.[decided];
        return needsNoMark(decision)
          ? dispatch.call(this, changed, handler)
          : dispatchDecided(decision, dispatch, this, changed, handler);
      },
  );
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
  const maker = earlier ?? firstOf(handler);
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
  if (maker === undefined && dispatchesAgain(handler)) firsts.set(handler, decision);
  return decidedAs(options, changed, decision);
}

/**
 * The same where the headers are put into the request that is about to be made, rather than into a copy of its
 * options. Undefined where they are to be in the options.
 */
function decideDirectly(options: unknown, handler: unknown, outgoing: Outgoing): Decided | undefined {
  if (!isObject(options) || !isObject(handler) || dispatchesAgain(handler)) return undefined;
  const { headers, origin, [decided]: earlier }: DispatchOptions = options;
  if (earlier !== undefined || firsts.has(handler) || !isObject(headers)) return undefined;
  if (Symbol.iterator in headers || contextHeadersIn(headers as HeaderList) !== noContextHeaders)
    return undefined;
  const host = hostOf(origin);
  if (host === undefined || outgoing.sharedScope() !== undefined) return undefined;
  const context = outgoing.ambientFor(host);
  const added = isDestination(options, host, outgoing)
    ? outgoing.headersFor(context, noContextHeaders)
    : undefined;
  return { context, enter: undefined, origin: undefined, added, pending: options };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What was decided about requests that are dispatched again, by their handlers. */
const firsts = new WeakMap<object, Decided>();

function firstOf(handler: unknown): Decided | undefined {
  return isObject(handler) ? firsts.get(handler) : undefined;
}

/**
 * A handler that dispatches again by itself, from a timer or the scope of another's answer, does so with options that
 * it was made with, before anything was decided: undici's RetryHandler and RedirectHandler. Each serves one request.
 */
function dispatchesAgain(handler: unknown): handler is object {
  return isObject(handler) && "dispatch" in handler && "opts" in handler;
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
  if (!isObject(dispatcher)) return undefined;
  if (ownOrigins.has(dispatcher)) return ownOrigins.get(dispatcher);
  const url = internal(dispatcher, "url");
  const origin = url instanceof URL ? url.origin : undefined;
  ownOrigins.set(dispatcher, origin);
  return origin;
}

const plainAgents = new WeakMap<object, boolean>();

/**
 * An agent as undici makes them since version 7, with no factory, class or `dispatch` of the application's, so that
 * nobody else gets to see what it is given. Before, interceptors could be put into one, which see it and may keep it.
 */
function isPlainAgent(dispatcher: unknown): boolean {
  if (!isObject(dispatcher)) return false;
  const before = plainAgents.get(dispatcher);
  if (before !== undefined) return before;
  const prototype = Object.getPrototypeOf(dispatcher);
  const factory = internal(dispatcher, "factory");
  const isPlain =
    prototype?.constructor.name === "Agent" &&
    Object.getPrototypeOf(prototype)?.constructor.name === "DispatcherBase" &&
    !Object.hasOwn(prototype, "dispatch") &&
    !Object.hasOwn(dispatcher, "dispatch") &&
    typeof factory === "function" &&
    factory.name === "defaultFactory" &&
    internal(dispatcher, "dispatch interceptors") === undefined;
  plainAgents.set(dispatcher, isPlain);
  return isPlain;
}

/** What undici keeps on an object of its own under a symbol; undefined where there is no such thing. */
function internal(object: object, description: string): unknown {
  const symbol = Object.getOwnPropertySymbols(object).find((own) => own.description === description);
  return symbol === undefined ? undefined : Reflect.get(object, symbol);
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
