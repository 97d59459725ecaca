import { channel } from "node:diagnostics_channel";

/** Published at most once per hook and registration, as {@link HookFault}. */
const faults = channel("clew.node.fault");

export interface HookFault {
  /** Which hook stopped working, e.g. `http.server`. */
  readonly hook: string;
  readonly error: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: the type of a method that is replaced is its owner's affair.
export type Method = (this: any, ...args: any[]) => any;

/** Says once per fault that contexts are not carried, and where. */
export function warn(where: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  process.emitWarning(
    `Clew no longer carries contexts ${where}, after a fault of its own: ${reason}. The application is not affected.`,
    { type: "ClewWarning", code: "CLEW_NODE_FAULT" },
  );
}

/**
 * One place where the runtime is changed, and the switch that takes the change out again (I9): a replaced method
 * asks `active` before it does anything of ours, and whatever goes wrong in our part ends the hook, not the call.
 */
export class Hook {
  readonly name: string;
  active = true;
  readonly #undo: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Runs `install`; a runtime or library that is not as expected costs this hook and nothing else. */
  install(install: (hook: Hook) => void): void {
    try {
      install(this);
    } catch (error) {
      this.fail(error);
      this.disable();
    }
  }

  /**
   * Puts `wrap(original)` in the place of a method, own or inherited; it looks like the original.
   * Throws TypeError when there is no such method.
   */
  replace(owner: object, key: string, wrap: (original: Method) => Method): void {
    const own = Object.getOwnPropertyDescriptor(owner, key);
    const original: unknown = Reflect.get(owner, key);
    if (typeof original !== "function") throw new TypeError(`this Node has no ${this.name} method ${key}`);
    const replacement = wrap(original as Method);
    Object.defineProperty(replacement, "name", { value: original.name, configurable: true });
    Object.defineProperty(replacement, "length", { value: original.length, configurable: true });
    Object.defineProperty(owner, key, {
      configurable: true,
      writable: true,
      enumerable: own?.enumerable ?? false,
      value: replacement,
    });
    this.#undo.push(() => {
      // Somebody replaced it after us: theirs calls ours, which does nothing any more.
      if (Object.getOwnPropertyDescriptor(owner, key)?.value !== replacement) return;
      if (own === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, own);
    });
  }

  /** Has something done when the hook is disabled. */
  onDisable(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Ends the hook because of a fault of ours, and says so once. */
  fail(error: unknown): void {
    if (!this.active) return;
    this.active = false;
    try {
      faults.publish({ hook: this.name, error } satisfies HookFault);
      warn(`through ${this.name}`, error);
    } catch {
      // Safe: it is said to whom it can be said, and a runtime that refuses even that is none of the application's calls.
    }
  }

  /** Puts everything back, last change first. */
  disable(): void {
    this.active = false;
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }
}
