import type { ScopeEntry } from "./context.ts";
import { appendContext, type OutgoingHeaders, outgoingFields } from "./header-list.ts";
import type { Method } from "./hook.ts";

/** What has been decided about a request of undici's, as far as those must know it who see the request being made. */
export interface DispatchDecision {
  /** The headers that were added, if any were. */
  readonly added: OutgoingHeaders | undefined;
  /** Enters the scope of whoever made the request; undefined where it is not shared with OpenTelemetry. */
  readonly enter: ScopeEntry | undefined;
  /** The options that the request is made from, as long as `added` is still to be put into it; else undefined. */
  pending?: object | undefined;
}

/** A request of undici's, which it publishes when it has made it. */
export interface CreatedRequest {
  /** Names and values in turn; up to undici 5, text. */
  headers: unknown;
  addHeader(name: string, value: string): unknown;
}

/** The dispatch that is going on; undici makes its request within. */
let current: DispatchDecision | undefined;

export function currentDispatch(): DispatchDecision | undefined {
  return current;
}

/** Whether these are the options of the dispatch that is going on, and it is for the request to add the headers. */
export function isPending(options: unknown): boolean {
  return current?.pending !== undefined && current.pending === options;
}

/** Whether a request may be dispatched without a word about it: where nobody would ask. */
export function needsNoMark(decision: DispatchDecision | undefined): boolean {
  return decision?.enter === undefined && current === undefined;
}

/** Dispatches a request that has been decided about. */
export function dispatchDecided(
  decision: DispatchDecision | undefined,
  dispatch: Method,
  dispatcher: unknown,
  options: unknown,
  handler: unknown,
): unknown {
  const outer = current;
  current = decision;
  try {
    return dispatch.call(dispatcher, options, handler);
  } finally {
    current = outer;
  }
}

/** Puts the headers into the request that the dispatch which is going on has led to; false where that is not asked for. */
export function addPending(request: CreatedRequest): boolean {
  if (current?.pending === undefined) return false;
  current.pending = undefined;
  const { added } = current;
  if (added === undefined) return true;
  // They are well-formed, as all that a context holds, so undici need not look at every character of them again.
  if (Array.isArray(request.headers)) appendContext(request.headers, added);
  else for (const [name, value] of outgoingFields(added)) request.addHeader(name, value);
  return true;
}
