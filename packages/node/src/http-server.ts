// biome-ignore-all lint/complexity/noArguments: `emit` is called a dozen times per request, and a rest parameter makes an array for each.
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Server } from "node:net";
import { Duplex } from "node:stream";
import { ambientStorage, type Context, extractedByOpenTelemetry } from "./context.ts";
import type { Hook, Method } from "./hook.ts";
import type { Incoming } from "./incoming.ts";
import type { LostContexts } from "./lost-context.ts";

const scope: unique symbol = Symbol("clew.context");

/** A request, a response or an upgraded socket, with the context of the request it belongs to. */
interface Scoped {
  [scope]?: Context;
}

/** The events by which a server hands a request to the application. `http` and `https` servers alike. */
const requestEvents: ReadonlySet<unknown> = new Set([
  "request",
  "checkContinue",
  "checkExpectation",
  "connect",
  "upgrade",
]);

/** Those after which the connection serves this request alone. */
const takeoverEvents: ReadonlySet<unknown> = new Set(["connect", "upgrade"]);

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

/**
 * Opens a scope for every request, with a context of its own, if an empty one, so that nothing is inherited from a
 * kept connection; and again for everything that Node emits on the request and its response later. A listener that
 * the application adds inside a scope of its own keeps that one with `context.bind`.
 */
export function hookServers(hook: Hook, incoming: Incoming, lost: LostContexts): void {
  const { IncomingMessage, ServerResponse } = process.getBuiltinModule("node:http");
  // Both http.Server and https.Server inherit from it.
  const { Server } = process.getBuiltinModule("node:net");
  const { listenerCount, listeners } = process.getBuiltinModule("node:events").EventEmitter.prototype;
  const storage = ambientStorage();

  const rescope = (emit: Method): Method =>
    function (this: EventEmitter & Scoped, event: unknown, value?: unknown) {
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
  // Most of these events have no listener, or but Node's own, or are emitted where the application has ended the
  // answer, in its scope; and entering one for nobody costs more than emitting. What is cheapest to ask comes first.
  const isHeard = (emitter: EventEmitter, event: string, context: Context): boolean => {
    const count = listenerCount.call(emitter, event);
    if (count === 0 || storage.getStore() === context) return false;
    if (count > 1) return true;
    const [only] = listeners.call(emitter, event);
    return !nodesListeners.has(only?.name ?? "");
  };
  hook.replace(IncomingMessage.prototype, "emit", rescope);
  hook.replace(ServerResponse.prototype, "emit", rescope);

  const contextOf = (event: unknown, request: IncomingMessage & Scoped, answer: unknown): Context => {
    // An application may hand a request on to another server by emitting it there.
    if (request[scope] !== undefined) return request[scope];
    const { headers } = request;
    const received = incoming.contextOf((name) => headers[name]);
    // It may have been here first, and have opened a scope with more in it: its span, and what other headers carry.
    const context = extractedByOpenTelemetry(headers) ?? received;
    request[scope] = context;
    if (answer instanceof ServerResponse) {
      (answer as Scoped)[scope] = context;
      lost.opened(answer);
    } else if (takeoverEvents.has(event) && answer instanceof Duplex) bindSocket(answer, context);
    return context;
  };

  const bindSocket = (socket: Duplex & Scoped, context: Context): void => {
    socket[scope] = context;
    const value = rescope(socket.emit);
    Object.defineProperty(socket, "emit", { configurable: true, writable: true, value });
  };

  const openScope = (emit: Method): Method =>
    function (this: Server, event: unknown, request: unknown, answer: unknown) {
      let context: Context | undefined;
      try {
        if (hook.active && requestEvents.has(event) && request instanceof IncomingMessage) {
          context = contextOf(event, request, answer);
        }
      } catch (error) {
        hook.fail(error);
      }
      // Spares a scope inside the same scope, since entering one is not free.
      return context === undefined || storage.getStore() === context
        ? Reflect.apply(emit, this, arguments)
        : storage.run(context, Reflect.apply, emit, this, arguments);
    };
  hook.replace(Server.prototype, "emit", openScope);
  // Somebody was here before us, as OpenTelemetry may be: what it put there leads past the one they inherit.
  for (const { prototype } of loadedServers()) {
    if (Object.hasOwn(prototype, "emit")) hook.replace(prototype, "emit", openScope);
  }
}

/** node:https is looked at only where somebody has loaded it. */
function loadedServers(): readonly { readonly prototype: Server }[] {
  const { Server } = process.getBuiltinModule("node:http");
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes("NativeModule https")
    ? [Server, process.getBuiltinModule("node:https").Server]
    : [Server];
}
