/** A message as it lies in a stream of bytes; offsets count from the stream's start. */
export interface PlainMessage {
  readonly from: number;
  /** Where its body begins. */
  readonly bodyFrom: number;
  readonly end: number;
  readonly startLine: string;
  /** As sent, in order. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  /** The body without chunks. */
  readonly content: Buffer;
  readonly trailers: ReadonlyArray<readonly [name: string, value: string]>;
  /** Only the connection's end delimits it. */
  readonly untilClose: boolean;
}

export interface ReadMessageOptions {
  /** What an answer answers: one to HEAD has no body. */
  readonly method?: string | undefined;
  /** The connection has ended: what is there is all that comes. */
  readonly ended?: boolean | undefined;
}

/**
 * Reads one message that is known to be well formed (what peers of a test sent or were sent); nothing is checked here. Undefined
 * when it has not come whole. Source: RFC 9112 §6.3
 */
export function readMessage(
  bytes: Buffer,
  from: number,
  options: ReadMessageOptions = {},
): PlainMessage | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n", from, "latin1");
  if (headEnd === -1) return undefined;
  const [startLine = "", ...lines] = bytes.subarray(from, headEnd).toString("latin1").split("\r\n");
  const headers = lines.map(headerOf);
  const bodyFrom = headEnd + 4;
  const head = { from, bodyFrom, startLine, headers };
  const none: readonly [string, string][] = [];
  const whole = (end: number, untilClose = false): PlainMessage | undefined =>
    end > bytes.length
      ? undefined
      : { ...head, end, content: bytes.subarray(bodyFrom, end), trailers: none, untilClose };
  const isAnswer = startLine.startsWith("HTTP/");
  if (isAnswer && hasNoBody(Number(startLine.slice(9, 12)), options.method)) return whole(bodyFrom);
  if (/chunked\s*$/i.test(fieldValue(headers, "transfer-encoding") ?? "")) {
    const body = readChunks(bytes, bodyFrom);
    return body && { ...head, ...body, untilClose: false };
  }
  const length = fieldValue(headers, "content-length");
  if (length !== undefined) return whole(bodyFrom + Number(length));
  if (!isAnswer) return whole(bodyFrom);
  return options.ended === true ? whole(bytes.length, true) : undefined;
}

/** Source: RFC 9112 §6.3, rules 1 and 2 */
function hasNoBody(status: number, method: string | undefined): boolean {
  return status < 200 || status === 204 || status === 304 || method === "HEAD";
}

interface Chunks {
  readonly content: Buffer;
  readonly trailers: PlainMessage["trailers"];
  readonly end: number;
}

function readChunks(bytes: Buffer, from: number): Chunks | undefined {
  const pieces: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (at + size + 2 > bytes.length) return undefined;
    pieces.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
  const trailers: (readonly [string, string])[] = [];
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd === -1) return undefined;
    const line = bytes.subarray(at, lineEnd).toString("latin1");
    at = lineEnd + 2;
    if (line === "") return { content: Buffer.concat(pieces), trailers, end: at };
    trailers.push(headerOf(line));
  }
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
}

function fieldValue(headers: PlainMessage["headers"], name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}
