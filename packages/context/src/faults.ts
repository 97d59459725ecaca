import { createReportCounter } from "./rate-limit.ts";

/**
 * What can be wrong with a context on its way. Each kind has a diagnostics channel, `clew.context.<kind>`, on which
 * a {@link ContextFaultEvent} is published at most once a minute.
 *
 * - `malformed`: parts that do not parse were left out.
 * - `limited`: text past a limit came in and was not read; counted per header.
 * - `trimmed`: fields were left out on the way out, to keep within the limits.
 * - `missing`: a request came without context. Published by servers, not here.
 * - `mistyped`: a declared field came with a value that its schema refuses.
 * - `unsigned`: a field that must be signed came without a valid signature, and was left out.
 * - `conflict`: contexts that were joined did not agree on a field, and it was left out.
 */
export type ContextFault =
  | "malformed"
  | "limited"
  | "trimmed"
  | "missing"
  | "mistyped"
  | "unsigned"
  | "conflict";

export interface ContextFaultEvent {
  /** How many since the last event of this kind. */
  readonly count: number;
  /** The latest of them: what was left out, named without its value. */
  readonly what: string;
}

/** Called for every single fault, for those who count themselves. Must not throw. */
export type FaultHook = (fault: ContextFault, count: number, what: string) => void;

export const contextChannels: Readonly<Record<ContextFault, string>> = {
  malformed: "clew.context.malformed",
  limited: "clew.context.limited",
  trimmed: "clew.context.trimmed",
  missing: "clew.context.missing",
  mistyped: "clew.context.mistyped",
  unsigned: "clew.context.unsigned",
  conflict: "clew.context.conflict",
};

/** Asked for at run time, not imported: browsers and edge runtimes load this file too, and publish nothing. */
const { process: runtime } = globalThis as { readonly process?: NodeJS.Process };
const diagnosticsChannel = runtime?.getBuiltinModule?.("node:diagnostics_channel");

/** A hook that publishes on the channels above, at most once per interval and kind. */
export function createFaultPublisher(options: Parameters<typeof createReportCounter>[1] = {}): FaultHook {
  let what = "";
  const forKind = (fault: ContextFault) => {
    const channel = diagnosticsChannel?.channel(contextChannels[fault]);
    return createReportCounter(({ count }) => channel?.publish({ count, what }), options);
  };
  const counters = {
    malformed: forKind("malformed"),
    limited: forKind("limited"),
    trimmed: forKind("trimmed"),
    missing: forKind("missing"),
    mistyped: forKind("mistyped"),
    unsigned: forKind("unsigned"),
    conflict: forKind("conflict"),
  };
  return (fault, count, latest) => {
    what = latest;
    counters[fault](count);
  };
}

/** The process's own publisher, used where no hook is given. */
export const publishFault: FaultHook = createFaultPublisher();
