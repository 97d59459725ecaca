import type { AnswerHead } from "@clew/proxy";
import { headerLines } from "../header-lines.ts";
import { isGatewayCookie } from "./cookies.ts";
import type { Visit } from "./visit.ts";

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
export function cacheEdits({ rawHeaders }: AnswerHead, form: Visit["form"]): AnswerEdits {
  const directives = directivesOf(headerLines(rawHeaders, "cache-control").join(","));
  const kept = directives.filter((directive) => !isShared(directive));
  const isUnstored = kept.some((directive) => directive.toLowerCase() === "no-store");
  // Where live has the same address, even the browser must ask before it uses what it has kept: it may hold it in memory,
  // where no cookie counts.
  const own = form === "path" ? ["private", "no-cache"] : ["private"];
  const others =
    form === "path" ? kept.filter((directive) => !/^(?:no-cache|immutable)\b/i.test(directive)) : kept;
  const cacheControl = (isUnstored ? kept : [...own, ...others]).join(", ");
  const set: Lines = [
    ["cache-control", cacheControl],
    ...varyByCookie(rawHeaders),
    // Nor may a search engine, for which it would be a copy of the live version.
    ["x-robots-tag", "noindex, nofollow"],
  ];
  // Other names of the same thing, which only shared caches read. Source: RFC 9213
  const remove = ["cache-control", "surrogate-control", "cdn-cache-control", "x-robots-tag"];
  return { remove, set };
}

/** Commas between quotes separate nothing. */
function directivesOf(value: string): string[] {
  const parts = value.match(/(?:[^,"]|"[^"]*"?)+/g) ?? [];
  return parts.map((directive) => directive.trim()).filter((directive) => directive !== "");
}

function isShared(directive: string): boolean {
  return /^(?:public|private|s-maxage|proxy-revalidate)\b/i.test(directive);
}

/** Nothing where it varies by cookie already. */
export function varyByCookie(rawHeaders: readonly string[]): Lines {
  const names = headerLines(rawHeaders, "vary").join(",");
  return /(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i.test(names) ? [] : [["vary", "Cookie"]];
}
