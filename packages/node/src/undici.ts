import { addGlobalDispatchers, type DispatcherHook } from "./dispatcher.ts";
import { Hook } from "./hook.ts";
import type { LibraryWatch } from "./modules.ts";

/**
 * The modules that undici's dispatchers are made in, by the end of their paths as of undici 5 to 8: in `lib`, since
 * version 6 in `lib/dispatcher`. Its own calls of `require` are seen, so an alias or a copy inside another package is as well.
 */
const dispatcherModule =
  /(?:^|\/)(?:dispatcher(?:-base)?|client|pool|agent|[a-z0-9-]+-(?:agent|pool|client))$/;

/** undici from npm, every copy and version of it. */
export function watchUndici(dispatchers: DispatcherHook): LibraryWatch {
  const hook = new Hook("undici");
  return {
    hook,
    matches: (id) => dispatcherModule.test(id),
    install(exports) {
      if (!isDispatcherClass(exports)) return;
      dispatchers.add(hook, exports.prototype);
      // One that another copy has set, Node's own for instance, serves this one too.
      addGlobalDispatchers(dispatchers, hook);
    },
  };
}

/** By what it does, as its name is no proof: other libraries have clients, pools and agents too. */
function isDispatcherClass(exports: unknown): exports is { prototype: object } {
  if (typeof exports !== "function") return false;
  const { prototype } = exports;
  return ["dispatch", "close", "destroy"].every((method) => typeof prototype?.[method] === "function");
}
