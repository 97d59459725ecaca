import { createCancellationExtension } from "./cancellation.ts";
import { createDeadlineExtension } from "./deadline.ts";
import type { Extension } from "./extension.ts";
import { streamExtension } from "./stream.ts";
import { tracingExtension } from "./tracing.ts";

/**
 * What needs no configuration, outermost first. Idempotency is not among them: it needs a store that outlives the
 * process, and a server that only seems to remember is worse than one that says it does not.
 */
export function createDefaultExtensions(): readonly Extension[] {
  return [tracingExtension, createDeadlineExtension(), createCancellationExtension(), streamExtension];
}
