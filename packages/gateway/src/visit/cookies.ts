import { headerLines } from "../header-lines.ts";

/**
 * The gateway's own cookies. Without a Domain attribute each is for one host alone. Where the visitor uses TLS they have
 * the prefix that keeps a page of a sister host from setting them. Source: RFC 6265bis §4.1.3.2
 */
export type GatewayCookie = "clew-visit" | "clew-away";

const hostPrefix = "__Host-";
const ownNames: ReadonlySet<string> = new Set(
  (["clew-visit", "clew-away"] as const).flatMap((name) => [name, `${hostPrefix}${name}`]),
);

export function isGatewayCookie(name: string): boolean {
  return ownNames.has(name);
}

/** All values of the cookie: a browser may send several of one name, and only one of them may be good. */
export function readCookie(
  rawHeaders: readonly string[],
  cookie: GatewayCookie,
  isSecure: boolean,
): readonly string[] {
  const wanted = cookieName(cookie, isSecure);
  return headerLines(rawHeaders, "cookie").flatMap((line) =>
    line.split(";").flatMap((pair) => {
      const [name, value] = splitPair(pair);
      return name === wanted ? [value] : [];
    }),
  );
}

/** The cookie lines without the gateway's own; undefined where there is none of them, so that the lines stay as they came. */
export function withoutGatewayCookies(rawHeaders: readonly string[]): readonly string[] | undefined {
  let hasOwn = false;
  const lines = headerLines(rawHeaders, "cookie").map((line) => {
    const pairs = line.split(";");
    const others = pairs.filter((pair) => !ownNames.has(splitPair(pair)[0]));
    if (others.length === pairs.length) return line;
    hasOwn = true;
    return others.join(";").trim();
  });
  return hasOwn ? lines.filter((line) => line !== "") : undefined;
}

/** `maxAgeMs` undefined: until the browser is closed; 0: it is to be forgotten. */
export function formatCookie(
  cookie: GatewayCookie,
  value: string,
  options: { readonly isSecure: boolean; readonly maxAgeMs?: number | undefined },
): string {
  const { isSecure, maxAgeMs } = options;
  const age = maxAgeMs === undefined ? "" : `; Max-Age=${Math.floor(maxAgeMs / 1_000)}`;
  const secure = isSecure ? "; Secure" : "";
  return `${cookieName(cookie, isSecure)}=${value}; Path=/${age}; HttpOnly; SameSite=Lax${secure}`;
}

function cookieName(cookie: GatewayCookie, isSecure: boolean): string {
  return isSecure ? `${hostPrefix}${cookie}` : cookie;
}

function splitPair(pair: string): readonly [name: string, value: string] {
  const equals = pair.indexOf("=");
  return equals < 0 ? ["", pair.trim()] : [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
}
