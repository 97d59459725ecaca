/**
 * The specification's pages name extensions `urn:forrst:ext:…`, its page on naming and the reference implementation
 * `urn:cline:forrst:ext:…`. Both are understood; this package writes the latter, and answers with the one it was asked by.
 */
const prefixes = ["urn:cline:forrst:ext:", "urn:forrst:ext:"] as const;

export const streamUrn = "urn:cline:forrst:ext:stream";

/** `stream` for both forms of the stream extension's URN; undefined for another vendor's extension. */
export function coreExtensionName(urn: string): string | undefined {
  for (const prefix of prefixes) {
    // The first two parts of a URN are case-insensitive. Source: RFC 8141 §3.1.
    if (urn.slice(0, prefix.length).toLowerCase() === prefix) return urn.slice(prefix.length);
  }
  return undefined;
}
