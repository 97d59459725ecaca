import type { JsonObject } from "../envelope/document.ts";
import { toDuration } from "../extensions/durations.ts";
import type { RpcError } from "../rpc-error.ts";

/** How near a caller is to a limit on its requests. */
export interface RateLimit {
  /** Requests that the window allows. */
  readonly limit: number;
  readonly remaining: number;
  /** Until the window begins anew. */
  readonly resetsInMs: number;
  /** Goes into `RateLimit-Policy`, such as `100;w=60`. Visible ASCII and spaces; any other is left out. */
  readonly policy?: string | undefined;
}

/** What an answer says of how it was made, beside the result: handlers and extensions fill it in. */
export interface ResponseMeta {
  rateLimit?: RateLimit | undefined;
}

/** Source: Forrst specification, document-structure "Response Meta Object". Undefined when there is nothing to say. */
export function metaMember(node: string | undefined, meta: ResponseMeta | undefined): JsonObject | undefined {
  const rateLimit = meta?.rateLimit;
  if (node === undefined && rateLimit === undefined) return undefined;
  return {
    ...(node === undefined ? undefined : { node }),
    ...(rateLimit === undefined
      ? undefined
      : {
          rate_limit: {
            limit: rateLimit.limit,
            remaining: rateLimit.remaining,
            resets_in: toDuration(rateLimit.resetsInMs),
          },
        }),
  };
}

/**
 * The same for those who read no bodies: names and values in turn. Source: Forrst specification, transport "Response
 * Headers"; extensions/rate-limit "Retry-After Header"; RFC 9110 §10.2.3.
 */
export function metaHeaders(
  elapsedMs: number,
  node: string | undefined,
  meta: ResponseMeta | undefined,
  error: RpcError | undefined,
): string[] {
  const headers = ["x-forrst-duration-ms", String(Math.round(elapsedMs))];
  if (node !== undefined) headers.push("x-forrst-node", node);
  const rateLimit = meta?.rateLimit;
  if (rateLimit !== undefined) {
    headers.push("ratelimit-limit", String(rateLimit.limit));
    headers.push("ratelimit-remaining", String(rateLimit.remaining));
    headers.push("ratelimit-reset", wholeSeconds(rateLimit.resetsInMs));
    const { policy } = rateLimit;
    if (policy !== undefined && /^[\x20-\x7e]+$/.test(policy)) headers.push("ratelimit-policy", policy);
  }
  if (error?.retryAfterMs !== undefined) headers.push("retry-after", wholeSeconds(error.retryAfterMs));
  return headers;
}

/** Rounded up: who comes a moment too early is refused again. */
function wholeSeconds(ms: number): string {
  return String(Math.max(0, Math.ceil(ms / 1_000)));
}
