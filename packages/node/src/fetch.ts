import { subscribe, unsubscribe } from "node:diagnostics_channel";
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

/** What undici publishes there, as far as it concerns us. */
interface CreatedRequest extends DispatchOptions {
  addHeader(name: string, value: string): unknown;
}

/**
 * Finds the classes of Node's undici, which it loads only when it needs them: when `fetch` is called, or when the
 * first WebSocket or EventSource connects.
 */
export function hookFetch(hook: Hook, dispatchers: DispatcherHook, outgoing: Outgoing): void {
  hook.replace(
    globalThis,
    "fetch",
    (fetch) =>
      function (this: unknown, ...args) {
        try {
          if (hook.active) {
            // Makes Node load its undici; a data URL opens no connection.
            if (!addGlobalDispatchers(dispatchers, hook)) {
              void fetch("data:,").catch(ignore);
              addGlobalDispatchers(dispatchers, hook);
            }
            dispatchers.add(hook, args[1]?.dispatcher);
          }
        } catch (error) {
          hook.fail(error);
        }
        return Reflect.apply(fetch, this, args);
      },
  );

  // The global WebSocket cannot be looked at without loading undici, so the first request is changed on its way. It
  // is in the scope of whoever made it, as nothing can have been queued before it; of the next ones that is not sure.
  const onFirstRequest = (message: unknown): void => {
    unsubscribe(requestChannel, onFirstRequest);
    try {
      if (!hook.active) return;
      addGlobalDispatchers(dispatchers, hook);
      const { request } = message as { request: CreatedRequest };
      for (const [name, value] of fieldsForUndecided(request, outgoing)) request.addHeader(name, value);
    } catch (error) {
      hook.fail(error);
    }
  };
  subscribe(requestChannel, onFirstRequest);
  hook.onDisable(() => unsubscribe(requestChannel, onFirstRequest));
}

/** Safe: the answer to a data URL is of no interest, and neither is its failure. */
function ignore(): void {}
