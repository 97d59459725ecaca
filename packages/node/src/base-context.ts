import { ambientStorage, type Context, contextFromEnvironment, emptyContext } from "@clew/context";
import type { Hook } from "./hook.ts";

/**
 * Makes the context that the parent process handed over the one of everything outside of any request: of a job or a
 * command that was started for one. Requests that come in have their own, an empty one where they came without.
 */
export function adoptEnvironment(hook: Hook, env: NodeJS.ProcessEnv): void {
  const base: Context = contextFromEnvironment(env);
  if (base === emptyContext) return;
  // A scope entered here would not reach the main module, and `enterWith` would leak into whatever comes next.
  hook.replace(
    ambientStorage(),
    "getStore",
    (getStore) =>
      function (this: unknown) {
        return Reflect.apply(getStore, this, []) ?? (hook.active ? base : undefined);
      },
  );
}
