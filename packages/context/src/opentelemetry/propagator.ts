import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from "@opentelemetry/api";
import { contextHeaderNames } from "../field-names.ts";
import { completeExtracted, contextFromCarrier, headersFor } from "./propagation.ts";
import { remoteSpanOf } from "./remote-span.ts";
import { spanKey } from "./shared-context.ts";

export interface ClewPropagatorOptions {
  /** The service's own name, sent as `x-forrst-caller`. */
  readonly service: string;
}

/**
 * Carries contexts where OpenTelemetry injects and extracts, in the place of its composite of trace context and
 * baggage: `new NodeSDK({ textMapPropagator: new ClewPropagator({ service: "orders" }) })`. Both APIs then see the
 * same fields, and what nobody changes leaves as the bytes that came.
 *
 * A propagator is not told where a request goes, so it cannot keep a context from third parties; `@clew/node` does.
 */
export class ClewPropagator implements TextMapPropagator {
  readonly #service: string;

  constructor(options: ClewPropagatorOptions) {
    this.#service = options.service;
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    for (const [name, value] of headersFor(context, this.#service)) setter.set(carrier, name, value);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const received = contextFromCarrier(carrier, getter);
    const span = remoteSpanOf(received);
    const traced = span === undefined ? context : context.setValue(spanKey, span);
    return completeExtracted(traced, received, carrier);
  }

  fields(): string[] {
    return [...contextHeaderNames];
  }
}
