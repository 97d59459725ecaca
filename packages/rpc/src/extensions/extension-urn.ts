/**
 * The specification's pages name extensions `urn:forrst:ext:…`, its page on naming and the reference implementation
 * `urn:cline:forrst:ext:…`. Both are understood; this package writes the latter, and answers with the one it was asked by.
 */
const prefixes = ["urn:cline:forrst:ext:", "urn:forrst:ext:"] as const;

export const streamUrn = "urn:cline:forrst:ext:stream";
export const tracingUrn = "urn:cline:forrst:ext:tracing";
export const deadlineUrn = "urn:cline:forrst:ext:deadline";
export const idempotencyUrn = "urn:cline:forrst:ext:idempotency";
export const cancellationUrn = "urn:cline:forrst:ext:cancellation";
export const retryUrn = "urn:cline:forrst:ext:retry";
export const deprecationUrn = "urn:cline:forrst:ext:deprecation";

/** The form by which an extension is found: small letters, and with the vendor of the protocol's own. */
export function canonicalUrn(urn: string): string {
  // Only the first two parts of a URN are case-insensitive (RFC 8141 §3.1), but the page on naming allows capitals nowhere.
  const text = urn.toLowerCase();
  const [vendored, bare] = prefixes;
  return text.startsWith(bare) ? vendored + text.slice(bare.length) : text;
}
