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

/**
 * What the value of `clew-route` is worth. A plain route name counts only in open mode (local development); signed
 * keys, `<route>.<expiry>.<key id>.<signature>`, are `invalid` until somebody verifies them.
 */
export function parseRoutingKey(value: JsonValue | undefined, mode: { readonly open: boolean }): RoutingKey {
  if (value === undefined) return noKey;
  if (!mode.open || typeof value !== "string" || !isRouteName(value)) return invalidKey;
  return { status: "open", route: value };
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
