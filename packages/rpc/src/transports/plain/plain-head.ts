import { isAscii } from "node:buffer";

/** A request whose head and body are all there. */
export interface PlainRequest {
  /** Names as they came and values, in turn. */
  readonly headers: readonly string[];
  /** As text where the bytes are ASCII: then they need not be looked at again. */
  readonly body: Buffer | string;
  /** Offset of what comes behind it. */
  readonly endsAt: number;
}

/** What Node reads as a head at most; larger ones are its to refuse. */
const maxHeadBytes = 16_384;

/**
 * A head in which nothing is unusual: POST, a path, HTTP/1.1, lines of a token, a colon and a value without control characters or space behind it.
 * Its parts exclude each other, so it is linear. Source: RFC 9112 §3 and §5, RFC 9110 §5.5.
 */
const plainHead =
  /^POST \/[\x21\x24-\x7e]* HTTP\/1\.1\r\n(?:[!#-'*+\-.^_`|~0-9A-Za-z]+:(?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?\r\n)+\r\n$/;

/**
 * Reads the request that begins a chunk. Undefined for everything that is not plain and whole: Node's own parser is to
 * judge it. So two parsers never disagree about where a request ends: this one takes only what has one length, given
 * once in digits, and no transfer coding.
 */
export function readPlainRequest(bytes: Buffer, maxBodyBytes: number): PlainRequest | undefined {
  const text = bytes.toString("latin1");
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd === -1 || headEnd > maxHeadBytes) return undefined;
  const bodyAt = headEnd + 4;
  const head = text.slice(0, bodyAt);
  if (!plainHead.test(head)) return undefined;
  const headers = readHeaders(head);
  const length = plainLength(headers);
  if (length === undefined || length > maxBodyBytes || bodyAt + length > bytes.length) return undefined;
  const endsAt = bodyAt + length;
  const body = isAscii(bytes) ? text.slice(bodyAt, endsAt) : bytes.subarray(bodyAt, endsAt);
  return { headers, body, endsAt };
}

function readHeaders(text: string): string[] {
  const headers: string[] = [];
  let at = text.indexOf("\r\n") + 2;
  // The last line is empty.
  while (at < text.length - 2) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r\n", colon);
    headers.push(text.slice(at, colon), text.slice(skipSpace(text, colon + 1), end));
    at = end + 2;
  }
  return headers;
}

/** Behind optional white space, which is space and tab alone: `trim` would take more. */
function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09) at++;
  return at;
}

/** The body's length; undefined where any header asks for more than to be answered. */
function plainLength(headers: readonly string[]): number | undefined {
  let length: number | undefined;
  let hosts = 0;
  let isJson = false;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!lengths.has(name.length)) continue;
    const value = headers[at + 1] as string;
    switch (name.toLowerCase()) {
      case "content-length":
        if (length !== undefined || !/^\d{1,9}$/.test(value)) return undefined;
        length = Number(value);
        break;
      case "host":
        hosts++;
        break;
      case "content-type":
        if (isJson || value !== "application/json") return undefined;
        isJson = true;
        break;
      case "connection":
        if (value.toLowerCase() !== "keep-alive") return undefined;
        break;
      case "transfer-encoding":
      case "content-encoding":
      case "expect":
      case "upgrade":
      case "trailer":
        return undefined;
    }
  }
  return hosts === 1 && isJson ? length : undefined;
}

/** Of the names that {@link plainLength} looks for, so that most others need no look. */
const lengths: ReadonlySet<number> = new Set([4, 6, 7, 10, 12, 14, 16, 17]);
