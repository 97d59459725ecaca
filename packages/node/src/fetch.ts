// biome-ignore-all lint/complexity/noArguments: a rest parameter makes an array for each call.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { addPending, type CreatedRequest } from "./current-dispatch.ts";
import {
  addGlobalDispatchers,
  type DispatcherHook,
  type DispatchOptions,
  fieldsForUndecided,
} from "./dispatcher.ts";
import type { Hook } from "./hook.ts";
import type { Outgoing } from "./outgoing.ts";

/** Published by every undici when it has made a request, still to be sent. */
const requestChannel = "undici:request:create";

/**
 * Finds the classes of Node's undici, which it loads only when it needs them: when `fetch` is called, or when the
 * first WebSocket or EventSource connects.
 */
export function hookFetch(hook: Hook, dispatchers: DispatcherHook, outgoing: Outgoing): void {
  hook.replace(
    globalThis,
    "fetch",
    (fetch) =>
      function (this: unknown, input: unknown, init?: { readonly dispatcher?: unknown }) {
        try {
          if (hook.active) {
            if (!addGlobalDispatchers(dispatchers, hook)) {
              // Makes Node load its undici; a data URL opens no connection.
              void fetch("data:,").catch(ignore);
              addGlobalDispatchers(dispatchers, hook);
            }
            dispatchers.add(hook, init?.dispatcher);
          }
        } catch (error) {
          hook.fail(error);
        }
        return arguments.length === 1 ? fetch.call(this, input) : Reflect.apply(fetch, this, arguments);
      },
  );

  // The global WebSocket cannot be looked at without loading undici, so the first request is changed on its way. It
  // is in the scope of whoever made it, as nothing can have been queued before it; of the next ones that is not sure.
  let isFirst = true;
  const onRequest = (message: unknown): void => {
    try {
      if (!hook.active) return;
      const { request } = message as { request: CreatedRequest & DispatchOptions };
      if (addPending(request) || !isFirst) return;
      isFirst = false;
      addGlobalDispatchers(dispatchers, hook);
      for (const [name, value] of fieldsForUndecided(request, outgoing)) request.addHeader(name, value);
    } catch (error) {
      hook.fail(error);
    }
  };
  subscribe(requestChannel, onRequest);
  dispatchers.addToRequests(hook);
  hook.onDisable(() => unsubscribe(requestChannel, onRequest));
}

/** Safe: the answer to a data URL is of no interest, and neither is its failure. */
function ignore(): void {}
