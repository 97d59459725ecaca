import { validateHeaderName, validateHeaderValue } from "node:http";
import type { HeaderEdits } from "./types.ts";

/** Source: RFC 9110 §7.6.1. `transfer-encoding` is not among them: framing is kept as it came. */
const hopByHopNames: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "upgrade",
]);

/** What `connection` may not take away: message framing and the target. Guards against smuggling by nomination. */
const neverNominated: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding"]);

export interface ForwardedHeadersOptions {
  /** `connection: upgrade` and the `upgrade` line are kept. */
  readonly upgrade?: boolean;
  /** Taken out besides, lower-case: framing that does not fit the next hop. */
  readonly without?: string;
  readonly edits?: HeaderEdits | undefined;
}

/**
 * The lines that go on: as they came (I1), without those for one hop only, then edited. Between them, `te` stays when it asks
 * for trailers, as those are passed on.
 *
 * @param raw name, value, name, value …
 */
export function forwardedHeaders(raw: readonly string[], options: ForwardedHeadersOptions = {}): string[] {
  const { edits, upgrade = false, without } = options;
  const nominated = connectionTokens(raw);
  const removed = new Set(edits?.remove);
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    const lower = name.toLowerCase();
    if (lower === without || removed.has(lower)) continue;
    if (hopByHopNames.has(lower)) {
      const next = upgrade ? upgradeLine(lower, value) : undefined;
      if (next !== undefined) kept.push(name, next);
      else if (lower === "te" && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value)) kept.push(name, "trailers");
    } else if (!nominated.has(lower) || neverNominated.has(lower)) kept.push(name, value);
  }
  for (const [name, value] of edits?.set ?? []) kept.push(name, value);
  return kept;
}

/** Throws when an added line would not be one line. */
export function checkEdits(edits: HeaderEdits | undefined): void {
  for (const [name, value] of edits?.set ?? []) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  }
}

function upgradeLine(name: string, value: string): string | undefined {
  if (name === "upgrade") return value;
  return name === "connection" && /upgrade/i.test(value) ? "Upgrade" : undefined;
}

/** Lower-case options of all `connection` lines. */
export function connectionTokens(raw: readonly string[]): Set<string> {
  const tokens = new Set<string>();
  for (const value of headerLines(raw, "connection")) {
    for (const token of value.split(",")) tokens.add(token.trim().toLowerCase());
  }
  return tokens;
}

/** Values of all lines of a name (lower-case), in order. */
export function headerLines(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const candidate = raw[index] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) {
      values.push(raw[index + 1] as string);
    }
  }
  return values;
}

/** Start line and headers as bytes, for what Node's own writers cannot send. */
export function headBytes(startLine: string, raw: readonly string[]): Buffer {
  let text = `${startLine}\r\n`;
  for (let index = 0; index + 1 < raw.length; index += 2) text += `${raw[index]}: ${raw[index + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, "latin1");
}

/** Name, value, name, value … as pairs. */
export function headerPairs(raw: readonly string[]): Array<[string, string]> {
  const pairs: Array<[string, string]> = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    pairs.push([raw[index] as string, raw[index + 1] as string]);
  }
  return pairs;
}
