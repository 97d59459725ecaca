import { contextHeaderNames } from "@clew/context";

/** The headers of a context among those that came, one value per line in `a | b`, so that a doubled one is seen. */
export function contextHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = String(rawHeaders[index]).toLowerCase();
    if (!contextHeaderNames.some((other) => other === name)) continue;
    found[name] = name in found ? `${found[name]} | ${rawHeaders[index + 1]}` : String(rawHeaders[index + 1]);
  }
  return found;
}
