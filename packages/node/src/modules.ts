import type { Hook } from "./hook.ts";

/** A library that is changed when the application loads it, whenever that is. */
export interface LibraryWatch {
  /** Ends when `install` throws, the watch with it. */
  readonly hook: Hook;
  /**
   * Asked for each `require` in the process, so it must be quick. `id` is what is written in the call, or, for what was
   * loaded before, the file's whole path; both without `.js`, with `/` on every platform.
   */
  matches(id: string): boolean;
  /**
   * Whether a module holds what is looked for. It may not yet, where modules require each other in a circle; then it is
   * asked again with the next `require` of it. Default: it does.
   */
  isComplete?(exports: object): boolean;
  /** Called once per module that matches; `matches` goes by a name only, so `exports` can be anything. */
  install(exports: unknown): void;
}

/** Of all that Node has in `require.cache` and on modules, what is needed here. */
interface LoadedModule {
  readonly exports: unknown;
  readonly loaded: boolean;
}

/**
 * Watches for libraries by the calls of `require`, their own inner ones included: so a library in CommonJS is seen
 * as well where an ES module imports it. Loads no thread and no hook of Node's, and sees nothing of bundled code.
 */
export function watchModules(hook: Hook, watches: readonly LibraryWatch[]): void {
  const { Module } = process.getBuiltinModule("node:module");
  const visited = new WeakMap<LibraryWatch, WeakSet<object>>(watches.map((watch) => [watch, new WeakSet()]));

  const visit = (watch: LibraryWatch, exports: unknown): void => {
    if ((typeof exports !== "object" && typeof exports !== "function") || exports === null) return;
    const seen = visited.get(watch);
    if (seen === undefined || seen.has(exports)) return;
    if (watch.isComplete?.(exports) === false) return;
    seen.add(exports);
    watch.hook.install(() => watch.install(exports));
  };

  hook.replace(
    Module.prototype,
    "require",
    (require) =>
      function (this: unknown, ...args) {
        const exports: unknown = Reflect.apply(require, this, args);
        if (hook.active) {
          const id = String(args[0]);
          for (const watch of watches) {
            if (watch.hook.active && watch.matches(id.endsWith(".js") ? id.slice(0, -3) : id)) {
              visit(watch, exports);
            }
          }
        }
        return exports;
      },
  );

  const cache = (Module as unknown as { _cache?: Record<string, LoadedModule> })._cache ?? {};
  for (const [path, module] of Object.entries(cache)) {
    const id = path.replace(/\.js$/, "").replaceAll("\\", "/");
    for (const watch of watches) if (module.loaded && watch.matches(id)) visit(watch, module.exports);
  }
}
