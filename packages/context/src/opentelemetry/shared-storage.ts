import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "../context.ts";
import type { OtelContextManager } from "./api-types.ts";
import { extractedHere, fromOtelContext, intoOtelContext } from "./shared-context.ts";

/** Where every copy of OpenTelemetry's API keeps what an SDK has registered. */
const apiKey: unique symbol = Symbol.for("opentelemetry.js.api.1") as never;
const probeKey: unique symbol = Symbol.for("clew.context.probe") as never;

interface ApiHolder {
  [apiKey]?: OtelApi;
}

export function openTelemetry(): OtelApi | undefined {
  return (globalThis as ApiHolder)[apiKey];
}

let judged: OtelContextManager | undefined;
let isJudgedReal = false;

/** `TextMapPropagator`, as far as it concerns us. */
export interface OtelPropagator {
  /** The headers that it sets. */
  fields(): string[];
}

/** What an OpenTelemetry SDK has registered in this process. */
interface OtelApi {
  readonly context?: OtelContextManager;
  readonly propagation?: OtelPropagator;
  readonly trace?: object;
}

/** Of the SDK's, the one that keeps contexts; undefined without SDK, and where it only looks like one and keeps nothing. */
function contextManager(): OtelContextManager | undefined {
  const manager = openTelemetry()?.context;
  if (manager === undefined) return undefined;
  if (manager !== judged) {
    judged = manager;
    isJudgedReal = keepsContexts(manager);
  }
  return isJudgedReal ? manager : undefined;
}

function keepsContexts(manager: OtelContextManager): boolean {
  try {
    const probe = manager.active().setValue(probeKey, true);
    return manager.with(probe, () => manager.active() === probe);
  } catch {
    // Safe: what does not behave like a context manager is not used as one.
    return false;
  }
}

/** The context of now, where OpenTelemetry has extracted it from this very carrier; so nothing in it is another request's. */
export function extractedByOpenTelemetry(carrier: unknown): Context | undefined {
  const active = contextManager()?.active();
  return active === undefined ? undefined : extractedHere(active, carrier);
}

/** Enters a scope again, whoever calls. */
export type ScopeEntry = <T>(fn: () => T) => T;

/**
 * The ambient store. Alone it is an AsyncLocalStorage and nothing else. Where an OpenTelemetry SDK keeps contexts in
 * this process, it keeps ours in them: one store, which both sides read and write, and no second one that could
 * disagree with it or cost anything. The SDK may come at any time, before us or after.
 */
export class SharedStorage {
  readonly #storage = new AsyncLocalStorage<Context>();
  /** Becomes true with the first SDK that is seen, so that a process without one does not look twice. */
  #isSharing = false;

  getStore(): Context | undefined {
    const own = this.#storage.getStore();
    if (own !== undefined && !this.#isSharing) return own;
    const manager = this.#findManager();
    return manager === undefined ? own : (fromOtelContext(manager.active(), own) ?? own);
  }

  run<R, A extends unknown[]>(context: Context, fn: (...args: A) => R, ...args: A): R {
    const manager = this.#findManager();
    if (manager === undefined) return this.#storage.run(context, fn, ...args);
    const active = manager.active();
    if (fromOtelContext(active) === context) return fn(...args);
    return manager.with(intoOtelContext(active, context), fn, undefined, ...args);
  }

  /** The scope of now: ours, and with it OpenTelemetry's, its span included, where the two are one. */
  capture(): ScopeEntry {
    const own = this.#storage.getStore();
    const enterOwn: ScopeEntry = (fn) => this.#storage.run(own as Context, fn);
    const manager = this.#findManager();
    if (manager === undefined) return enterOwn;
    const active = manager.active();
    const enterShared: ScopeEntry = (fn) => manager.with(active, fn);
    return own === undefined ? enterShared : (fn) => enterOwn(() => enterShared(fn));
  }

  #findManager(): OtelContextManager | undefined {
    const manager = contextManager();
    if (manager !== undefined) this.#isSharing = true;
    return manager;
  }
}
