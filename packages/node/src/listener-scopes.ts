// biome-ignore-all lint/complexity/noArguments: a rest parameter makes an array for each call, of which a request has many.
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import { ambientStorage, type Context } from "./context.ts";
import type { Hook, Method } from "./hook.ts";
import type { LostContexts } from "./lost-context.ts";

/** Where a request, its answer and an upgraded socket keep the context of the request they belong to. */
export const scope: unique symbol = Symbol("clew.context");

export interface Scoped {
  [scope]?: Context;
}

/**
 * What Node emits on a request or a response from outside any scope: from the socket's callbacks, which belong to the
 * connection. Events that the application emits itself are left alone, so that a scope opened around `emit` counts.
 */
const streamEvents: ReadonlySet<unknown> = new Set([
  "aborted",
  "close",
  "data",
  "drain",
  "end",
  "error",
  "finish",
  "pause",
  "pipe",
  "readable",
  "resume",
  "timeout",
  "unpipe",
]);

/**
 * Listeners of Node's own on an answer's `finish` and a request's `end`, one of each for every request. They hand the
 * connection on to the next, and know of no scope.
 */
const nodesListeners: ReadonlySet<string> = new Set(["bound resOnFinish", "clearIncoming"]);

/** All ways to add a listener; of some, Node makes others. */
const addingMethods: readonly string[] = [
  "addListener",
  "on",
  "once",
  "prependListener",
  "prependOnceListener",
];

type Emitter = EventEmitter & Scoped;

type IsNodesOwn = (emitter: Emitter, event: unknown, listener: unknown) => boolean;

/** Makes an emitter run its listeners in the scope that it has, or will have when something is emitted on it. */
export type ScopeListeners = (emitter: EventEmitter) => void;

/**
 * Gives requests and answers, when the first listens on them, an `emit` of their own: nearly all that Node emits there
 * is for nobody, and a function between Node and its own `emit` costs each of those dozen calls of a request.
 */
export function hookListeners(hook: Hook, lost: LostContexts): ScopeListeners {
  const { IncomingMessage, ServerResponse } = process.getBuiltinModule("node:http");
  const { listenerCount, listeners } = process.getBuiltinModule("node:events").EventEmitter.prototype;
  const storage = ambientStorage();

  // Many of these events have no listener, or but Node's own, or are emitted where the application has ended the
  // answer, in its scope; and entering one for nobody costs more than emitting. What is cheapest to ask comes first.
  const isHeard = (emitter: Emitter, event: string, context: Context): boolean => {
    const count = listenerCount.call(emitter, event);
    if (count === 0 || storage.getStore() === context) return false;
    if (count > 1) return true;
    const [only] = listeners.call(emitter, event);
    return !nodesListeners.has(only?.name ?? "");
  };

  const rescope = (emitOf: () => Method): Method =>
    function (this: Emitter, event: unknown, value?: unknown): unknown {
      const emit = emitOf();
      const context = this[scope];
      if (context !== undefined && hook.active && streamEvents.has(event)) {
        if (event === "close") lost.closed(this);
        if (isHeard(this, event as string, context)) {
          return storage.run(context, Reflect.apply, emit, this, arguments);
        }
      }
      if (arguments.length === 1) return emit.call(this, event);
      if (arguments.length === 2) return emit.call(this, event, value);
      return Reflect.apply(emit, this, arguments);
    };
  // Asked anew for each call, since whoever replaces the method of a class replaces it for requests that are open, too.
  const ofRequests = ownMethod(rescope(() => IncomingMessage.prototype.emit));
  const ofAnswers = ownMethod(rescope(() => ServerResponse.prototype.emit));
  const ofOthers = new WeakSet<Method>();

  const scopeListeners = (emitter: Emitter): void => {
    const { emit } = emitter;
    if (emit === ofRequests.value || emit === ofAnswers.value) return;
    if (emit === IncomingMessage.prototype.emit) Object.defineProperty(emitter, "emit", ofRequests);
    else if (emit === ServerResponse.prototype.emit) Object.defineProperty(emitter, "emit", ofAnswers);
    else if (!ofOthers.has(emit)) {
      const own = ownMethod(rescope(() => emit));
      ofOthers.add(own.value);
      Object.defineProperty(emitter, "emit", own);
    }
  };

  const hookAdding = (prototype: object, isNodesOwn: IsNodesOwn): void => {
    const scopeWhatIsHeard = (emitter: Emitter, event: unknown, listener: unknown): void => {
      if (isNodesOwn(emitter, event, listener) || !streamEvents.has(event)) return;
      scopeListeners(holderOf(emitter));
    };
    for (const method of addingMethods) {
      hook.replace(
        prototype,
        method,
        (add) =>
          function (this: Emitter, event: unknown, listener: unknown) {
            try {
              if (hook.active) scopeWhatIsHeard(this, event, listener);
            } catch (error) {
              hook.fail(error);
            }
            return arguments.length === 2
              ? add.call(this, event, listener)
              : Reflect.apply(add, this, arguments);
          },
      );
    }
  };
  // Node's own is the same function for each request; to ask a function for its name costs more than all else here.
  let clearIncoming: unknown;
  hookAdding(IncomingMessage.prototype, (message, event, listener) => {
    if (message[scope] === undefined) return isClientsAnswer(message);
    if (event !== "end") return false;
    if (listener !== clearIncoming && nodesListeners.has(nameOf(listener))) clearIncoming = listener;
    return listener === clearIncoming;
  });
  // Node's own is a new function for each answer, but always the first that is added, before there is a scope.
  hookAdding(
    ServerResponse.prototype,
    (answer, event) =>
      answer[scope] === undefined && event === "finish" && listenerCount.call(answer, event) === 0,
  );
  return scopeListeners;
}

/** The very object that Node emits on, given it or one that an application has derived from it; itself before there is a scope. */
function holderOf(emitter: Emitter): Emitter {
  let holder: Emitter | null = emitter;
  while (holder !== null && !Object.hasOwn(holder, scope)) holder = Object.getPrototypeOf(holder);
  return holder ?? emitter;
}

function ownMethod(value: Method): { readonly value: Method; configurable: true; writable: true } {
  return { configurable: true, writable: true, value };
}

/** Of the two kinds of messages that come in, a client's answer alone has a status. */
function isClientsAnswer(message: Emitter): boolean {
  return typeof (message as Partial<IncomingMessage>).statusCode === "number";
}

function nameOf(listener: unknown): string {
  return typeof listener === "function" ? listener.name : "";
}
