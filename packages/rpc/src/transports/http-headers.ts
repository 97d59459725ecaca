import type { HeaderReader } from "@clew/context";
import { eventStreamType } from "../extensions/stream.ts";
import type { Answer } from "../server/exchange.ts";

/** Of every document, in any answer: names and values in turn. Source: Forrst specification, transport "Response". */
export const documentHeaders: readonly string[] = [
  "content-type",
  "application/json",
  "cache-control",
  "no-store",
];

/** Of this one. Source: Forrst specification, transport "Response Headers". */
export function answerHeaders({ id, status, headers }: Answer, bytes: number, service: string): string[] {
  const all = ["content-length", String(bytes), ...headers];
  if (isHeaderSafe(id)) all.push("x-forrst-request-id", id);
  if (status === 401) all.push("www-authenticate", `Bearer realm="${quotable(service)}"`);
  if (status === 405) all.push("allow", "POST");
  return all;
}

/** The same for a stream, whose head goes out before its end is known. */
export function streamHeaders(id: string): string[] {
  const all = ["content-type", eventStreamType, "cache-control", "no-store"];
  if (isHeaderSafe(id)) all.push("x-forrst-request-id", id);
  return all;
}

/** Source: RFC 9110 §5.6.4, without escapes. */
function quotable(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "_");
}

/** Only ids that are safe in a header and of a length that headers bear are echoed there as well. */
function isHeaderSafe(id: string | null): id is string {
  return id !== null && /^[\x21-\x7e]{1,128}$/.test(id);
}

/** Reads a list of names and values as it came: a header that came twice can be told from one that holds a comma. */
export function listReader(list: readonly string[]): HeaderReader {
  return (name) => {
    let found: string | string[] | undefined;
    for (let at = 0; at < list.length; at += 2) {
      const raw = list[at] as string;
      if (raw.length !== name.length || (raw !== name && raw.toLowerCase() !== name)) continue;
      const value = list[at + 1] as string;
      if (found === undefined) found = value;
      else if (typeof found === "string") found = [found, value];
      else found.push(value);
    }
    return found;
  };
}
