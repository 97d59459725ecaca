import { isAscii } from "node:buffer";
import { RequestHeadParser } from "@clew/wire";

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

/** One for all connections: a head is read in one turn, or not at all. */
const parser = new RequestHeadParser({ maxHeadBytes, maxLineBytes: maxHeadBytes });

const slash = 0x2f;

/**
 * Reads the request that begins a chunk. Undefined for everything that is not plain and whole: Node's own parser is to
 * judge it. So two parsers never disagree about where a request ends: this one takes only what has one length, given
 * once in digits, and no transfer coding.
 */
export function readPlainRequest(bytes: Buffer, maxBodyBytes: number): PlainRequest | undefined {
  if (parser.parse(bytes, 0, bytes.length) !== "complete") {
    parser.reset();
    return undefined;
  }
  const isPlain =
    parser.start === 0 &&
    parser.isMethod("POST") &&
    bytes[parser.targetStart] === slash &&
    parser.minorVersion === 1 &&
    parser.framing === "length" &&
    !parser.expects;
  const endsAt = parser.headEnd + parser.contentLength;
  const isText = isAscii(bytes);
  // Node's parser takes no target that is more than ASCII.
  if (!isText && !isAscii(bytes.subarray(0, parser.targetEnd))) return undefined;
  if (!isPlain || parser.contentLength > maxBodyBytes || endsAt > bytes.length) return undefined;
  // Slices of one text cost less than a string each made of the bytes.
  const text = bytes.toString("latin1", 0, endsAt);
  const headers = readHeaders(text);
  if (!arePlain(headers)) return undefined;
  const { headEnd } = parser;
  return { headers, body: isText ? text.slice(headEnd) : bytes.subarray(headEnd, endsAt), endsAt };
}

function readHeaders(text: string): string[] {
  const headers: string[] = [];
  for (let line = 0; line < parser.lineCount; line++) {
    headers.push(
      text.slice(parser.lineStart(line), parser.nameEnd(line)),
      text.slice(parser.valueStart(line), parser.valueEnd(line)),
    );
  }
  return headers;
}

/** One type, which is JSON, and nothing that asks for more than to be answered. */
function arePlain(headers: readonly string[]): boolean {
  let isJson = false;
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!lengths.has(name.length)) continue;
    const value = headers[at + 1] as string;
    switch (name.toLowerCase()) {
      case "content-type":
        if (isJson || value !== "application/json") return false;
        isJson = true;
        break;
      case "connection":
        if (value.toLowerCase() !== "keep-alive") return false;
        break;
      case "content-encoding":
      case "upgrade":
      case "trailer":
        return false;
    }
  }
  return isJson;
}

/** Of the names that {@link arePlain} looks for, so that most others need no look. */
const lengths: ReadonlySet<number> = new Set([7, 10, 12, 16]);
