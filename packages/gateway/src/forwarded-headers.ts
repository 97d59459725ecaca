import { isInternalDestination } from "@clew/context";
import type { RequestHead } from "@clew/proxy";

/** Set anew by {@link forwardedHeaders}. */
export const forwardedHeaderNames = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] as const;

/**
 * Who asked, by which protocol and for which host. What came is kept where the peer is internal, as a load balancer is,
 * and replaced where it comes from outside, since anybody can write it there.
 */
export function forwardedHeaders(
  head: RequestHead,
  authority: string,
): Array<readonly [name: string, value: string]> {
  // A socket that listens on both families shows IPv4 peers in IPv6 form.
  const peer = head.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "");
  const isInternal = peer !== undefined && isInternalDestination(peer);
  const kept = (name: string): string | undefined => (isInternal ? head.header(name) : undefined);
  const before = kept("x-forwarded-for");
  return [
    ["x-forwarded-for", before === undefined ? (peer ?? "unknown") : `${before}, ${peer}`],
    ["x-forwarded-proto", kept("x-forwarded-proto") ?? "http"],
    ["x-forwarded-host", kept("x-forwarded-host") ?? authority],
  ];
}
