import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { forwardedHeaders, headBytes, headerLines, headerPairs } from "./headers.ts";
import { errorAnswer } from "./proxy-error.ts";
import type { HeaderEdits, LocalAnswer } from "./types.ts";

/** How an answer's end is told to the client; `close` is the connection's end. */
export type Framing = "none" | "length" | "chunked" | "close";

export interface AnswerOptions {
  readonly edits: HeaderEdits | undefined;
  /** The client's connection ends after it. */
  readonly closes: boolean;
  /** Asked when there is a body: what it goes through. */
  readonly filter?: (() => Duplex | undefined) | undefined;
  /** The filter failed: the answer can only be broken off. */
  readonly onFilterError?: (() => void) | undefined;
}

/**
 * Passes an upstream's answer on (I1): status line and lines as they came, framing as it came, each piece when it comes, at the
 * pace of the client. Only what Node would add by itself is kept off. The caller watches for an end before the end.
 */
export function passOn(answer: IncomingMessage, response: ServerResponse, options: AnswerOptions): Framing {
  const ownFraming = framingOf(answer, response.req);
  const filter = ownFraming === "none" ? undefined : options.filter?.();
  const framing = filter === undefined ? ownFraming : filteredFraming(response.req);
  // An HTTP/1.0 client knows no chunks; the connection's end ends the body.
  const without = framing === "close" && response.req.httpVersion === "1.0" ? "transfer-encoding" : undefined;
  const headers = forwardedHeaders(answer.rawHeaders, {
    edits: filter === undefined ? options.edits : withoutFraming(options.edits),
    ...(without === undefined ? {} : { without }),
  });
  if (filter !== undefined && framing === "chunked") headers.push("Transfer-Encoding", "chunked");
  if (framing === "close" || options.closes) headers.push("Connection", "close");
  response.sendDate = false;
  response.removeHeader("connection");
  response.removeHeader("transfer-encoding");
  response.writeHead(answer.statusCode as number, answer.statusMessage, headers);
  if (filter === undefined) passBodyOn(answer, response);
  else passBodyThrough(answer, filter, response, options.onFilterError ?? (() => {}));
  // A body that comes with the head leaves with it; an answer whose body lets wait does not.
  setImmediate(() => {
    if (!response.writableEnded && !response.destroyed) response.flushHeaders();
  });
  return framing;
}

function passBodyOn(answer: IncomingMessage, response: ServerResponse): void {
  answer.on("data", (piece: Buffer) => {
    if (!response.write(piece)) answer.pause();
  });
  response.on("drain", () => answer.resume());
  answer.on("end", () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(headerPairs(answer.rawTrailers));
    response.end();
  });
}

function passBodyThrough(
  answer: IncomingMessage,
  filter: Duplex,
  response: ServerResponse,
  onError: () => void,
): void {
  filter.on("error", onError);
  response.once("close", () => filter.destroy());
  filter.on("data", (piece: Buffer) => {
    if (!response.write(piece)) filter.pause();
  });
  response.on("drain", () => filter.resume());
  filter.on("end", () => response.end());
  answer.pipe(filter);
}

function filteredFraming(request: IncomingMessage): Framing {
  return request.httpVersion === "1.0" ? "close" : "chunked";
}

function withoutFraming(edits: HeaderEdits | undefined): HeaderEdits {
  return { ...edits, remove: [...(edits?.remove ?? []), "content-length", "transfer-encoding", "trailer"] };
}

function framingOf(answer: IncomingMessage, request: IncomingMessage): Framing {
  const status = answer.statusCode as number;
  if (request.method === "HEAD" || status === 204 || status === 304) return "none";
  const coding = headerLines(answer.rawHeaders, "transfer-encoding").at(-1);
  if (coding !== undefined) {
    return /(?:^|,)\s*chunked$/i.test(coding.trim()) && request.httpVersion !== "1.0" ? "chunked" : "close";
  }
  return headerLines(answer.rawHeaders, "content-length").length > 0 ? "length" : "close";
}

/** Passes on an interim answer (1xx but 101). False when its turn (pipelining) or the client's version does not allow it. */
export function passOnInterim(
  info: {
    readonly statusCode: number;
    readonly statusMessage: string;
    readonly rawHeaders: readonly string[];
  },
  response: ServerResponse,
): boolean {
  if (response.req.httpVersion === "1.0" || response.headersSent) return false;
  if (info.statusCode === 100) response.writeContinue();
  else if (response.socket === null) return false;
  else {
    const startLine = `HTTP/1.1 ${info.statusCode} ${info.statusMessage}`;
    response.socket.write(headBytes(startLine, forwardedHeaders(info.rawHeaders)));
  }
  return true;
}

/** Sends an answer that was made here. One that cannot be sent as it is told to `onError`, and becomes a 500. */
export function sendLocal(
  response: ServerResponse,
  answer: LocalAnswer,
  closes: boolean,
  onError: (error: unknown) => void,
): void {
  response.removeHeader("connection");
  let sent = answer;
  try {
    writeLocalHead(response, answer, closes);
  } catch (error) {
    onError(error);
    sent = errorAnswer(500, "E_PLAN_INVALID", "the answer could not be sent as planned");
    writeLocalHead(response, sent, closes);
  }
  response.end(sent.body);
}

function writeLocalHead(
  response: ServerResponse,
  { status, headers, body }: LocalAnswer,
  closes: boolean,
): void {
  const lines = headers.flat();
  const hasBody = status !== 204 && status !== 304;
  if (hasBody && headerLines(lines, "content-length").length === 0) {
    lines.push("content-length", String(Buffer.byteLength(body)));
  }
  if (closes) lines.push("connection", "close");
  response.writeHead(status, STATUS_CODES[status] ?? "", lines);
}
