import type { AnswerHead } from "@clew/proxy";
import { headerLines } from "../header-lines.ts";
import { isGatewayCookie } from "./cookies.ts";

type Lines = ReadonlyArray<readonly [name: string, value: string]>;
export interface AnswerEdits {
  readonly remove: readonly string[];
  readonly set: Lines;
}

/**
 * Cookies of the previewed system stay on the preview's own host, whatever domain they were meant for: one preview must
 * see nothing of another, and the original domain would be refused by the browser. None may be named as the gateway's.
 */
export function cookieEdits({ rawHeaders }: AnswerHead, own: readonly string[]): AnswerEdits {
  const before = headerLines(rawHeaders, "set-cookie");
  const after = before.flatMap((line) => (isGatewayCookie(nameOf(line)) ? [] : [withoutDomain(line)]));
  const isSame = after.length === before.length && after.every((line, at) => line === before[at]);
  const set = (lines: readonly string[]): Lines => lines.map((line) => ["set-cookie", line] as const);
  return isSame ? { remove: [], set: set(own) } : { remove: ["set-cookie"], set: set([...after, ...own]) };
}

function nameOf(setCookie: string): string {
  return setCookie.split(/[=;]/, 1)[0]?.trim() ?? "";
}

function withoutDomain(setCookie: string): string {
  return setCookie
    .split(";")
    .filter((part, at) => at === 0 || !/^\s*domain\s*(?:=|$)/i.test(part))
    .join(";");
}

/**
 * What a preview answers is for its visitor alone: no cache that others share may keep it, since it was made for a route,
 * and for one who may visit. The browser's own may, as long as the cookies are the same.
 */
export function cacheEdits({ rawHeaders }: AnswerHead): AnswerEdits {
  const directives = headerLines(rawHeaders, "cache-control")
    .join(",")
    .split(",")
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "");
  const kept = directives.filter(
    (directive) => !/^(?:public|private|s-maxage|proxy-revalidate)\b/i.test(directive),
  );
  const isUnstored = kept.some((directive) => directive.toLowerCase() === "no-store");
  const cacheControl = (isUnstored ? kept : ["private", ...kept]).join(", ");
  const set: Array<readonly [string, string]> = [["cache-control", cacheControl]];
  if (!/(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i.test(headerLines(rawHeaders, "vary").join(",")))
    set.push(["vary", "Cookie"]);
  // Other names of the same thing, which only shared caches read. Source: RFC 9213
  const remove = ["cache-control", "surrogate-control", "cdn-cache-control"];
  return { remove, set };
}
