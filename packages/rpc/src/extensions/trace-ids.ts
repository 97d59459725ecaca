import { createHash, randomFillSync } from "node:crypto";

/** The ids of one trace as a Forrst request names them: any text. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** Sampled: who names a trace in a request wants to find it, and W3C's flag says "may have been recorded". */
const sampledFlag = "01";

/**
 * W3C `traceparent` of a Forrst trace, so that both correlate. An id of the right number of hex digits, not all of
 * them zero, is taken in small letters; any other is replaced by as many first hex digits of the SHA-256 of its UTF-8
 * bytes. Source: wire contract, "Forrst envelope"; vectors in `vectors/trace-ids.json`.
 */
export function traceparentOf({ traceId, spanId }: TraceIds): string {
  return `00-${hexId(traceId, 32)}-${hexId(spanId, 16)}-${sampledFlag}`;
}

/** The other way: what a valid `traceparent` names. */
export function idsOfTraceparent(traceparent: string): TraceIds {
  return { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) };
}

function hexId(id: string, digits: number): string {
  if (id.length === digits && /^[0-9a-f]+$/i.test(id) && !/^0+$/.test(id)) return id.toLowerCase();
  return createHash("sha256").update(id).digest("hex").slice(0, digits);
}

const spanDigits = 16;
/** Made at once: asking the system for eight bytes costs nearly as much as for all of these. */
const pool = Buffer.alloc(2_048);
let digits = "";
let used = 0;

/** 16 hex digits. */
export function createSpanId(): string {
  if (used === digits.length) {
    digits = randomFillSync(pool).toString("hex");
    used = 0;
  }
  used += spanDigits;
  const id = digits.slice(used - spanDigits, used);
  return id === "0000000000000000" ? createSpanId() : id;
}

/** 32 hex digits. */
export function createTraceId(): string {
  return createSpanId() + createSpanId();
}
