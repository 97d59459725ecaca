import type { RequestHead } from "@clew/proxy";

/** The host and port that a request is for. Source: RFC 9112 §3.2.2 (an absolute target prevails over `host`). */
export function authorityOf(head: RequestHead): string {
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(head.target);
  return absolute?.[1] ?? head.header("host") ?? "";
}

/** The slug of a preview's authority; "" for the previews' domain itself, undefined for any other host. */
export function parsePreviewHost(authority: string, previewsDomain: string): string | undefined {
  const host = authority.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
  if (host === previewsDomain) return "";
  return host.endsWith(`.${previewsDomain}`) ? host.slice(0, -previewsDomain.length - 1) : undefined;
}
