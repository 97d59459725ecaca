import { ambientStorage } from "./context.ts";
import type { Hook } from "./hook.ts";
import { bindMethods } from "./scope.ts";

/**
 * The agent of `http2-wrapper` makes a request when it has a session with room for it, in the scope of whichever request
 * made that room. So what waits for a session is called back in the scope it waits in, and what `node:http2` is asked for
 * there is as if it had been asked for at once.
 */
export function hookHttp2Agent(hook: Hook, prototype: object): void {
  const storage = ambientStorage();
  hook.replace(
    prototype,
    "getSession",
    (getSession) =>
      function (this: unknown, ...args) {
        const [origin, options, waiting, ...rest] = args;
        let bound: unknown = waiting;
        if (hook.active && Array.isArray(waiting)) {
          const enter = storage.capture();
          bound = waiting.map((listener) => bindMethods(listener, enter));
        }
        return Reflect.apply(getSession, this, [origin, options, bound, ...rest]);
      },
  );
}
