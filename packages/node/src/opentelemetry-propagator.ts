import {
  completeExtracted,
  contextFromCarrier,
  headersFor,
  type OtelGetter,
} from "@clew/context/opentelemetry";
import type { OtelPropagator } from "./context.ts";
import type { Hook } from "./hook.ts";

/** `TextMapSetter` of OpenTelemetry's API. */
interface OtelSetter {
  set(carrier: unknown, name: string, value: string): void;
}

/** Writes what a propagator writes, but these headers as we would: they then are the same from whichever side they come. */
class ImprovedSetter implements OtelSetter {
  readonly #setter: OtelSetter;
  readonly #makeHeaders: () => ReadonlyMap<string, string>;
  readonly #hook: Hook;
  #headers: ReadonlyMap<string, string> | undefined;
  #hasBaggage = false;

  constructor(setter: OtelSetter, makeHeaders: () => ReadonlyMap<string, string>, hook: Hook) {
    this.#setter = setter;
    this.#makeHeaders = makeHeaders;
    this.#hook = hook;
  }

  set(carrier: unknown, name: string, value: string): void {
    const lowerCaseName = name.toLowerCase();
    if (lowerCaseName === "baggage") this.#hasBaggage = true;
    const isImproved = lowerCaseName === "baggage" || lowerCaseName === "traceparent";
    this.#setter.set(carrier, name, (isImproved ? this.#ours(lowerCaseName) : undefined) ?? value);
  }

  /** A baggage that the propagator has left out altogether, as OpenTelemetry's does when each member is too long for it. */
  complete(carrier: unknown, propagator: OtelPropagator): void {
    const baggage = this.#hasBaggage ? undefined : this.#ours("baggage");
    if (baggage === undefined) return;
    try {
      if (propagator.fields().includes("baggage")) this.#setter.set(carrier, "baggage", baggage);
    } catch (error) {
      this.#hook.fail(error);
    }
  }

  #ours(name: string): string | undefined {
    try {
      this.#headers ??= this.#makeHeaders();
      return this.#headers.get(name);
    } catch (error) {
      this.#hook.fail(error);
      return undefined;
    }
  }
}

/**
 * Has a propagator that OpenTelemetry uses carry contexts without loss, in what we do not hook as well, such as
 * message queues: OpenTelemetry's own drops and rewrites well-formed members, and knows no caller. What it does
 * besides, such as further headers, it goes on doing.
 */
export function hookPropagator(hook: Hook, propagator: OtelPropagator, service: string): void {
  hook.replace(
    propagator,
    "inject",
    (inject) =>
      function (this: unknown, otel, carrier, setter: OtelSetter, ...rest) {
        if (!hook.active) return Reflect.apply(inject, this, [otel, carrier, setter, ...rest]);
        const improved = new ImprovedSetter(setter, () => headersFor(otel, service), hook);
        const result = Reflect.apply(inject, this, [otel, carrier, improved, ...rest]);
        improved.complete(carrier, propagator);
        return result;
      },
  );
  hook.replace(
    propagator,
    "extract",
    (extract) =>
      function (this: unknown, otel, carrier, getter: OtelGetter, ...rest) {
        const extracted = Reflect.apply(extract, this, [otel, carrier, getter, ...rest]);
        try {
          if (hook.active) return completeExtracted(extracted, contextFromCarrier(carrier, getter), carrier);
        } catch (error) {
          hook.fail(error);
        }
        return extracted;
      },
  );
}
