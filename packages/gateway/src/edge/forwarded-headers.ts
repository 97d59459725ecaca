import { isIPv6 } from "node:net";
import type { RequestHead } from "@clew/proxy";
import type { Client } from "./client.ts";

/** Set anew by {@link forwardedHeaders}. */
export const forwardedHeaderNames = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "forwarded",
] as const;

/**
 * Who asked, by which protocol and for which host. What came is kept where the peer is internal, as a load balancer is,
 * and replaced where it comes from outside, since anybody can write it there. Source: RFC 7239
 */
export function forwardedHeaders(
  head: RequestHead,
  { peer, isInternal, isSecure, authority }: Client,
): Array<readonly [name: string, value: string]> {
  const kept = (name: string): string | undefined => (isInternal ? head.header(name) : undefined);
  const joined = (before: string | undefined, own: string): string =>
    before === undefined ? own : `${before}, ${own}`;
  const proto = isSecure ? "https" : "http";
  const element = `for=${nodeOf(peer)};host=${quoted(authority)};proto=${proto}`;
  return [
    ["x-forwarded-for", joined(kept("x-forwarded-for"), peer ?? "unknown")],
    ["x-forwarded-proto", kept("x-forwarded-proto") ?? proto],
    ["x-forwarded-host", kept("x-forwarded-host") ?? authority],
    ["forwarded", joined(kept("forwarded"), element)],
  ];
}

function nodeOf(peer: string | undefined): string {
  if (peer === undefined) return "unknown";
  return isIPv6(peer) ? `"[${peer}]"` : peer;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, "\\$&")}"`;
}
