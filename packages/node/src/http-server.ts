// biome-ignore-all lint/complexity/noArguments: a rest parameter makes an array for each call, of which a request has many.
import type { IncomingMessage } from "node:http";
import type { Server } from "node:net";
import { Duplex } from "node:stream";
import { ambientStorage, type Context, extractedByOpenTelemetry } from "./context.ts";
import type { Hook, Method } from "./hook.ts";
import type { Incoming } from "./incoming.ts";
import { hookListeners, type Scoped, scope } from "./listener-scopes.ts";
import type { LostContexts } from "./lost-context.ts";

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
 * Opens a scope for every request, with a context of its own, if an empty one, so that nothing is inherited from a
 * kept connection; and again for everything that Node emits on the request and its response later. A listener that
 * the application adds inside a scope of its own keeps that one with `context.bind`.
 */
export function hookServers(hook: Hook, incoming: Incoming, lost: LostContexts): void {
  const { IncomingMessage, ServerResponse } = process.getBuiltinModule("node:http");
  // Both http.Server and https.Server inherit from it.
  const { Server } = process.getBuiltinModule("node:net");
  const storage = ambientStorage();
  const scopeListeners = hookListeners(hook, lost);

  const contextOf = (event: unknown, request: IncomingMessage & Scoped, answer: unknown): Context => {
    // An application may hand a request on to another server by emitting it there.
    if (request[scope] !== undefined) return request[scope];
    const { headers } = request;
    const received = incoming.contextOf(headers);
    // It may have been here first, and have opened a scope with more in it: its span, and what other headers carry.
    const context = extractedByOpenTelemetry(headers) ?? received;
    request[scope] = context;
    if (answer instanceof ServerResponse) {
      (answer as Scoped)[scope] = context;
      if (lost.opened(answer)) scopeListeners(answer);
    } else if (takeoverEvents.has(event) && answer instanceof Duplex) {
      (answer as Scoped)[scope] = context;
      scopeListeners(answer);
    }
    return context;
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
      return context === undefined
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
