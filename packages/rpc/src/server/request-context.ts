import {
  type Context,
  contextFromForrst,
  createFaultPublisher,
  extractContext,
  type FaultHook,
  type HeaderReader,
} from "@clew/context";
import { isReservedName } from "../contract.ts";
import type { ForrstRequest } from "../envelope/document.ts";
import { withExactFields } from "../envelope/exact-context.ts";

export const publishContextFault: FaultHook = createFaultPublisher();

/**
 * Headers and envelope merged as the wire contract says: the body wins, but for `clew-…` fields, which come from the
 * headers alone. Behind an edge (`clew-edge: 1`) the body came from outside and is not believed (I5). A call without
 * any context is reported and served. Source: Forrst specification, context "Missing Context".
 */
export function readContext(header: HeaderReader, request: ForrstRequest, onFault: FaultHook): Context {
  const fromHeaders = extractContext(header, { onFault });
  const edge = header("clew-edge");
  const fromOutside = edge !== undefined && (typeof edge === "string" ? edge === "1" : edge.includes("1"));
  const context = fromOutside
    ? fromHeaders
    : contextFromForrst(request.context, withExactFields(fromHeaders, header, request.exactContext), onFault);
  // Whoever asks for health or capabilities is often no service, and has nothing to hand on.
  if (context.caller === undefined && context.size === 0 && !isReservedName(request.function)) {
    onFault("missing", 1, request.function);
  }
  return context;
}
