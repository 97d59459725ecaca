/**
 * What is signed, in UTF-8: each part as the number of its UTF-8 bytes, a colon and the part, one behind the other. No two lists
 * of parts give the same bytes, so nothing can be moved from one part into its neighbour.
 */
export function lengthPrefixed(parts: readonly string[]): string {
  return parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join("");
}
