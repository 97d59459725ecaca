import {
  completeExtracted,
  contextFromCarrier,
  headersFor,
  type OtelGetter,
} from "@clew/context/opentelemetry";
import type { Hook } from "./hook.ts";

/** `TextMapSetter` of OpenTelemetry's API. */
interface OtelSetter {
  set(carrier: unknown, name: string, value: string): void;
}

/** What a propagator writes of its own accord is written as we would: it then is the same from whichever side it comes. */
const improvedHeaders: ReadonlySet<string> = new Set(["baggage", "traceparent"]);

/**
 * Has a propagator that OpenTelemetry uses carry contexts without loss, in what we do not hook as well, such as
 * message queues: OpenTelemetry's own drops and rewrites well-formed members, and knows no caller. What it does
 * besides, such as further headers, it goes on doing.
 */
export function hookPropagator(hook: Hook, propagator: object, service: string): void {
  hook.replace(
    propagator,
    "inject",
    (inject) =>
      function (this: unknown, otel, carrier, setter: OtelSetter, ...rest) {
        if (!hook.active) return Reflect.apply(inject, this, [otel, carrier, setter, ...rest]);
        let headers: ReadonlyMap<string, string> | undefined;
        const improve = (name: string, value: string): string => {
          try {
            if (!improvedHeaders.has(name.toLowerCase())) return value;
            headers ??= headersFor(otel, service);
            return headers.get(name.toLowerCase()) ?? value;
          } catch (error) {
            hook.fail(error);
            return value;
          }
        };
        const improving: OtelSetter = {
          set: (target, name, value) => setter.set(target, name, improve(name, value)),
        };
        return Reflect.apply(inject, this, [otel, carrier, improving, ...rest]);
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
