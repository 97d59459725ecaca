import type { JsonValue } from "@clew/wire";

export interface RoutingKey {
  /** `open`: a plain route name, believed in open mode. `invalid`: anything that is not to be believed. */
  readonly status: "none" | "open" | "valid" | "expired" | "invalid";
  /** The name of the route; only with `open`, `valid` and `expired`. */
  readonly route?: string;
}

const maxRouteNameLength = 63;

const noKey: RoutingKey = { status: "none" };
const invalidKey: RoutingKey = { status: "invalid" };

/** Says what a signed key, `<route>.<expiry>.<key id>.<signature>`, is worth: `valid`, `expired` or `invalid`. */
export type RoutingKeyVerifier = (key: string) => RoutingKey;

export interface RoutingKeyMode {
  /** Whether a plain route name counts: for local development. */
  readonly open: boolean;
  /** Default: no signed key is valid. Made by `createRoutingKeyVerifier` of `@clew/context/signing`. */
  readonly verify?: RoutingKeyVerifier | undefined;
}

/** What the value of `clew-route` is worth. */
export function parseRoutingKey(value: JsonValue | undefined, mode: RoutingKeyMode): RoutingKey {
  if (value === undefined) return noKey;
  if (typeof value !== "string") return invalidKey;
  // A route name has no dot, a signed key has three: neither is ever taken for the other.
  if (isRouteName(value)) return mode.open ? { status: "open", route: value } : invalidKey;
  return mode.verify?.(value) ?? invalidKey;
}

/**
 * Lower-case letters, digits and inner hyphens, 1 to 63 characters: what a DNS label may be, since a route becomes
 * part of a preview's host name. Source: RFC 1123 §2.1.
 */
export function isRouteName(value: string): boolean {
  const last = value.length - 1;
  if (last < 0 || last >= maxRouteNameLength) return false;
  for (let at = 0; at <= last; at++) {
    const code = value.charCodeAt(at);
    const isAlphanumeric = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
    const isInnerHyphen = code === 0x2d && at > 0 && at < last;
    if (!isAlphanumeric && !isInnerHyphen) return false;
  }
  return true;
}
