import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type DispatcherHook, fieldsForOrigin } from "./dispatcher.ts";
import { headerValue } from "./header-list.ts";
import type { Hook } from "./hook.ts";
import type { Outgoing } from "./outgoing.ts";

/** Where every copy of undici, Node's own included, keeps its global dispatcher; the second since undici 8. */
const globalDispatchers = [
  Symbol.for("undici.globalDispatcher.1"),
  Symbol.for("undici.globalDispatcher.2"),
] as const;

/** Published by every undici when it has made a request, still to be sent. */
const requestChannel = "undici:request:create";

/** What undici publishes there, as far as it concerns us. */
interface CreatedRequest {
  readonly origin?: unknown;
  readonly upgrade?: unknown;
  readonly headers?: unknown;
  addHeader(name: string, value: string): unknown;
}

/**
 * Finds the classes of Node's undici, which it loads only when it needs them: when `fetch` is called, or when the
 * first WebSocket or EventSource connects.
 */
export function hookFetch(hook: Hook, dispatchers: DispatcherHook, outgoing: Outgoing): void {
  const addDispatchers = (): void => {
    for (const symbol of globalDispatchers) dispatchers.add(hook, Reflect.get(globalThis, symbol));
  };

  hook.replace(
    globalThis,
    "fetch",
    (fetch) =>
      function (this: unknown, ...args) {
        try {
          if (hook.active) {
            // Makes Node load its undici; a data URL opens no connection.
            if (Reflect.get(globalThis, globalDispatchers[0]) === undefined)
              void fetch("data:,").catch(ignore);
            addDispatchers();
            dispatchers.add(hook, args[1]?.dispatcher);
          }
        } catch (error) {
          hook.fail(error);
        }
        return Reflect.apply(fetch, this, args);
      },
  );

  // The global WebSocket cannot be looked at without loading undici, so the first connection is changed on its way.
  // It is in the scope of whoever made it, as nothing can have been queued before it.
  const onFirstRequest = (message: unknown): void => {
    unsubscribe(requestChannel, onFirstRequest);
    try {
      if (!hook.active) return;
      addDispatchers();
      const { request } = message as { request: CreatedRequest };
      if (request.upgrade !== "websocket" || hasCaller(request)) return;
      for (const [name, value] of fieldsForOrigin(request.origin, outgoing)) request.addHeader(name, value);
    } catch (error) {
      hook.fail(error);
    }
  };
  subscribe(requestChannel, onFirstRequest);
  hook.onDisable(() => unsubscribe(requestChannel, onFirstRequest));
}

/** That a dispatcher has decided already, as the caller is always set. */
function hasCaller({ headers }: CreatedRequest): boolean {
  return Array.isArray(headers) && headerValue(headers, "x-forrst-caller") !== undefined;
}

/** Safe: the answer to a data URL is of no interest, and neither is its failure. */
function ignore(): void {}
