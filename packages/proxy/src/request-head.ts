import type { IncomingMessage } from "node:http";
import { connectionTokens, headerLines } from "./headers.ts";
import type { RequestHead } from "./types.ts";

/** What routing sees of a request. */
export function createRequestHead(request: IncomingMessage): RequestHead {
  const { rawHeaders } = request;
  const target = request.url ?? "";
  return {
    method: request.method ?? "",
    target,
    path: pathOf(target),
    httpVersion: request.httpVersion,
    rawHeaders,
    header(name) {
      const lines = headerLines(rawHeaders, name);
      return lines.length === 0 ? undefined : lines.join(", ");
    },
    upgrade: connectionTokens(rawHeaders).has("upgrade") ? headerLines(rawHeaders, "upgrade")[0] : undefined,
    remoteAddress: request.socket.remoteAddress,
    localPort: request.socket.localPort,
    connection: request.socket,
  };
}

const absoluteForm = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i;

function pathOf(target: string): string {
  const absolute = absoluteForm.exec(target);
  const path = absolute === null ? (target.split(/[?#]/, 1)[0] as string) : (absolute[3] as string);
  return path === "" ? "/" : path;
}

/**
 * Why a request is refused although Node's parser (which is never lenient here) took it: what two servers might understand
 * differently. Undefined: nothing is wrong.
 */
export function faultOf(request: IncomingMessage): string | undefined {
  const { rawHeaders, httpVersion } = request;
  const target = request.url ?? "";
  const hosts = headerLines(rawHeaders, "host");
  // Source: RFC 9112 §3.2
  if (hosts.length > 1) return "more than one host line";
  const codings = headerLines(rawHeaders, "transfer-encoding");
  if (codings.length > 0) {
    // Source: RFC 9112 §6.1
    if (httpVersion === "1.0") return "transfer-encoding in an HTTP/1.0 request";
    if (codings.length > 1 || codings[0]?.trim().toLowerCase() !== "chunked") {
      return "a transfer-encoding other than chunked";
    }
  }
  if (codings.length + headerLines(rawHeaders, "content-length").length > 1) {
    return "more than one line that says how long the body is";
  }
  const absolute = absoluteForm.exec(target);
  // Source: RFC 9112 §3.2.2. A server takes the target's host, others look at the header.
  if (absolute !== null && hosts[0]?.toLowerCase() !== absolute[2]?.toLowerCase()) {
    return "a target and a host line that name different hosts";
  }
  if (absolute === null && !target.startsWith("/") && !(target === "*" && request.method === "OPTIONS")) {
    return "a target that is neither a path nor a URL";
  }
  return undefined;
}

/** Whether the request says that a body follows its head. */
export function announcesBody(request: IncomingMessage): boolean {
  if (headerLines(request.rawHeaders, "transfer-encoding").length > 0) return true;
  const length = headerLines(request.rawHeaders, "content-length")[0];
  return length !== undefined && Number(length) > 0;
}

// Source: RFC 9110 §9.2.2
const idempotentMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** Whether sending it twice has the effect of sending it once. */
export function isRepeatable(request: IncomingMessage): boolean {
  return (
    idempotentMethods.has(request.method ?? "") ||
    headerLines(request.rawHeaders, "idempotency-key").length > 0
  );
}
