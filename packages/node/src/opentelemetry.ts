import { type OtelPropagator, openTelemetry } from "./context.ts";
import { Hook } from "./hook.ts";
import { require } from "./lazy.ts";

/** The OpenTelemetry SDK of this process, if there is one. */
export interface OpenTelemetryWatch {
  readonly hook: Hook;
  /** Whether it injects contexts as well. */
  readonly isPropagating: boolean;
  /** Whether it makes spans. */
  readonly isTracing: boolean;
  /** Looks whether there is one by now. For every request, since it may come at any time. */
  look(): void;
}

/**
 * Shares contexts with an OpenTelemetry SDK: the ambient store does so by itself, and what injects and extracts for
 * OpenTelemetry is changed here, so that a request carries one context and not two.
 */
export function watchOpenTelemetry(service: string): OpenTelemetryWatch {
  const hook = new Hook("opentelemetry");
  let current: OtelPropagator | undefined;
  const hooked = new WeakSet<OtelPropagator>();
  let isChannelHooked = false;
  const share = (propagator: OtelPropagator): void => {
    const {
      hookPropagator,
    }: typeof import("./opentelemetry-propagator.ts") = require("./opentelemetry-propagator.js");
    if (!hooked.has(propagator)) hookPropagator(hook, propagator, service);
    hooked.add(propagator);
    if (!isChannelHooked) {
      const {
        hookUndiciChannel,
      }: typeof import("./opentelemetry-undici.ts") = require("./opentelemetry-undici.js");
      hookUndiciChannel(hook);
    }
    isChannelHooked = true;
  };
  const look = (): void => {
    const propagator = openTelemetry()?.propagation;
    if (propagator === current) return;
    current = propagator;
    if (propagator !== undefined && hook.active) hook.install(() => share(propagator));
  };
  look();
  // The first request may come to OpenTelemetry before it comes to us. By then, what is preloaded is there.
  setImmediate(look).unref();
  return {
    hook,
    get isPropagating() {
      return current !== undefined && hook.active;
    },
    get isTracing() {
      return openTelemetry()?.trace !== undefined;
    },
    look,
  };
}
