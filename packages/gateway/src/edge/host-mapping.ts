import type { AnswerHead, RequestHead } from "@clew/proxy";
import { headerLines } from "../header-lines.ts";

type Lines = ReadonlyArray<readonly [name: string, value: string]>;

/** One host seen from two sides: what the visitor's browser asks, and what the ingress answers for. */
export interface HostMapping {
  /** As the visitor sees it: `https://demo.preview.example`. */
  readonly visitorOrigin: string;
  /** Hosts of the ingress, in lower case, a port where it is not the scheme's own. The first one is what it is asked for. */
  readonly ingressHosts: readonly [string, ...string[]];
}

/** Headers of a request that name where it comes from, as the ingress would see them without a preview. */
export function mapRequest(head: RequestHead, mapping: HostMapping): { remove: string[]; set: Lines } {
  const set: Array<readonly [string, string]> = [["host", mapping.ingressHosts[0]]];
  const own = `${mapping.visitorOrigin.replace(/:\/\/.*$/, "")}://${mapping.ingressHosts[0]}`;
  for (const name of ["origin", "referer"] as const) {
    const value = head.header(name);
    if (value === undefined) continue;
    const rest = afterOrigin(value, mapping.visitorOrigin);
    if (rest !== undefined) set.push([name, own + rest]);
  }
  return { remove: set.map(([name]) => name), set };
}

/**
 * Headers of an answer that name an address of the ingress, with the visitor's in its place: what a link to the original
 * host would leave the preview by. Bodies stay as they are.
 */
export function mapAnswer(
  { rawHeaders }: AnswerHead,
  mapping: HostMapping,
): { remove: string[]; set: Lines } {
  const remove: string[] = [];
  const set: Array<readonly [string, string]> = [];
  const map = (name: string, change: (value: string) => string): void => {
    const before = headerLines(rawHeaders, name);
    const after = before.map(change);
    if (after.every((value, at) => value === before[at])) return;
    remove.push(name);
    set.push(...after.map((value) => [name, value] as const));
  };
  const address = (value: string): string => mapAddress(value, mapping);
  map("location", address);
  map("content-location", address);
  map("refresh", (value) =>
    value.replace(
      /^(\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?["']?)([^"']*)/i,
      (_, before, url) => before + address(url),
    ),
  );
  map("access-control-allow-origin", (value) => mapAddress(value, mapping));
  return { remove, set };
}

function mapAddress(value: string, { visitorOrigin, ingressHosts }: HostMapping): string {
  const absolute = /^\s*(https?:)?\/\/([^/?#\\]*)(.*)$/is.exec(value);
  if (absolute === null) return value;
  const [, scheme = "", authority = "", rest = ""] = absolute;
  const ownPort = scheme.toLowerCase() === "https:" ? /:443$/ : /:80$/;
  const host = authority.toLowerCase().replace(ownPort, "");
  return ingressHosts.includes(host) ? visitorOrigin + rest : value;
}

/** What follows the origin in an address; undefined where it has another. */
function afterOrigin(value: string, origin: string): string | undefined {
  if (value.slice(0, origin.length).toLowerCase() !== origin) return undefined;
  const rest = value.slice(origin.length);
  return rest === "" || /^[/?#]/.test(rest) ? rest : undefined;
}
