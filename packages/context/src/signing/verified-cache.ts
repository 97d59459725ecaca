/** Remembers what was verified, so that the same signature is not verified for each request. */
export interface VerifiedCache {
  /** The remembered answer, else that of `verify`, which is remembered. */
  ask(text: string, verify: () => boolean): boolean;
}

/** Characters of a text that is remembered: longer ones are rare, and would make the bound by entries worth nothing. */
const maxTextLength = 2_048;

/**
 * Holds at most `maxEntries` good and as many bad answers, least recently used out first. They are apart, so that no
 * flood of forgeries drives the good ones out.
 */
export function createVerifiedCache(maxEntries: number): VerifiedCache {
  const good = new Set<string>();
  const bad = new Set<string>();
  return {
    ask(text, verify) {
      if (good.has(text)) return touch(good, text, maxEntries, true);
      if (bad.has(text)) return touch(bad, text, maxEntries, false);
      const isGood = verify();
      return text.length > maxTextLength ? isGood : touch(isGood ? good : bad, text, maxEntries, isGood);
    },
  };
}

/** A set keeps the order of insertion, so the first one is the least recently used. */
function touch(entries: Set<string>, text: string, maxEntries: number, answer: boolean): boolean {
  entries.delete(text);
  entries.add(text);
  if (entries.size > maxEntries) {
    const [oldest] = entries;
    if (oldest !== undefined) entries.delete(oldest);
  }
  return answer;
}
