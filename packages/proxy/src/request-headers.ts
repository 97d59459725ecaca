import type { IncomingMessage } from "node:http";
import { forwardedHeaders, headerLines } from "./headers.ts";
import { announcesBody } from "./request-head.ts";
import type { HeaderEdits } from "./types.ts";

/**
 * Node 20 cannot be told to add none (`setDefaultHeaders`). It adds `connection: keep-alive`, which is for one hop only, and would
 * chunk a POST's absent body, were there no length.
 */
const nodeInventsHeaders = Number(process.versions.node.split(".")[0]) < 24;
const chunklessMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/** A request's headers for the next hop. */
export function requestHeaders(
  request: IncomingMessage,
  edits: HeaderEdits | undefined,
  upgrade: boolean,
): string[] {
  const headers = forwardedHeaders(request.rawHeaders, { edits, upgrade });
  // We speak HTTP/1.1, which asks for a host, if an empty one. Source: RFC 9112 §3.2
  if (headerLines(headers, "host").length === 0) headers.unshift("Host", "");
  if (nodeInventsHeaders && !chunklessMethods.has(request.method ?? "") && !announcesLength(headers)) {
    headers.push("Content-Length", "0");
  }
  return headers;
}

function announcesLength(headers: readonly string[]): boolean {
  return ["content-length", "transfer-encoding"].some((name) => headerLines(headers, name).length > 0);
}

/**
 * Whether an upgrade is asked of the upstream at all; it may be left unanswered. It is when there is a body to be sent first, and
 * for h2c: on such a connection requests would pass that were never routed.
 */
export function mayUpgrade(request: IncomingMessage): boolean {
  if (request.httpVersion === "1.0" || announcesBody(request)) return false;
  return !/(?:^|,)\s*h2c\s*(?:,|$)/i.test(request.headers.upgrade ?? "");
}

/** The headers as if no upgrade had been asked for. */
export function withoutUpgrade(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    const lower = name.toLowerCase();
    if (lower === "connection") {
      const others = value.split(",").filter((token) => !/^\s*(?:upgrade|http2-settings)\s*$/i.test(token));
      if (others.length > 0) kept.push(name, others.join(","));
    } else if (lower !== "upgrade" && lower !== "http2-settings") kept.push(name, value);
  }
  return kept;
}
