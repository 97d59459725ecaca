import { ambientStorage } from "./context.ts";
import { Hook } from "./hook.ts";
import type { LibraryWatch } from "./modules.ts";
import { bindMethods } from "./scope.ts";

/**
 * `http2-wrapper`, by which `got` speaks HTTP/2: its agent makes a request when it has a session with room for it, in the
 * scope of whichever request made that room. So what waits for a session is called back in the scope it waits in, and
 * what `node:http2` is asked for there is as if it had been asked for at once.
 */
export function watchHttp2Wrapper(): LibraryWatch {
  const hook = new Hook("http2-wrapper");
  return {
    hook,
    matches: (id) => id === "./agent" || id.endsWith("/http2-wrapper/source/agent"),
    install: (exports) => {
      const prototype = (exports as { Agent?: { readonly prototype: unknown } }).Agent?.prototype;
      if (isAgent(prototype)) hookAgent(hook, prototype);
    },
  };
}

/** By what it does, as its name is no proof: other libraries have agents too. */
function isAgent(prototype: unknown): prototype is object {
  if (typeof prototype !== "object" || prototype === null) return false;
  return ["request", "getSession"].every((name) => typeof Reflect.get(prototype, name) === "function");
}

function hookAgent(hook: Hook, prototype: object): void {
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
