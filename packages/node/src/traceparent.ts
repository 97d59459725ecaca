/**
 * Trace ids for `participate` mode. Source: W3C Trace Context level 2, §3.2 and §4.3.
 */

const traceIdBytes = 16;
const parentIdBytes = 8;

/** Random bytes fetched at once: a call of its own for each id costs twenty times as much. 256 span ids. */
const poolBytes = 2_048;

const flagSampled = 0x01;
/** That the trace id's right-most 7 bytes are random. */
const flagRandom = 0x02;

let pool: Buffer | undefined;
let poolOffset = poolBytes;

/** The beginning of a trace that nobody records as yet: not sampled, of a random trace id. */
export function newTraceparent(): string {
  return `00-${randomHex(traceIdBytes)}-${randomHex(parentIdBytes)}-02`;
}

/**
 * The traceparent of one outgoing request: the same trace with a parent-id of its own, in the one version that is
 * defined. Both flags that are defined go on as they came, reserved ones as 0. `traceparent` must be valid.
 */
export function childTraceparent(traceparent: string): string {
  const traceId = traceparent.slice(3, 35);
  const flags = Number.parseInt(traceparent.slice(53, 55), 16) & (flagSampled | flagRandom);
  return `00-${traceId}-${randomHex(parentIdBytes)}-0${flags}`;
}

/** Never all zeros, which would be no id. */
function randomHex(bytes: number): string {
  for (;;) {
    if (pool === undefined || poolOffset + bytes > poolBytes) {
      // Loaded here, since most processes pass traces through and need no random numbers.
      pool = process
        .getBuiltinModule("node:crypto")
        .randomFillSync(pool ?? Buffer.allocUnsafeSlow(poolBytes));
      poolOffset = 0;
    }
    const text = pool.toString("hex", poolOffset, poolOffset + bytes);
    poolOffset += bytes;
    if (/[^0]/.test(text)) return text;
  }
}
