import type { HeadParser, RequestHeadParser, ResponseHeadParser } from "@clew/wire";
import { linesOf } from "./header-edits.ts";
import type { HeaderEdits } from "./types.ts";

const minorVersionOne = 0x31;
const upgradeOption = "upgrade";

export interface RequestForwarding {
  readonly edits: HeaderEdits | undefined;
  /** `connection: upgrade` and the `upgrade` lines are kept. */
  readonly upgrade: boolean;
}

/**
 * A request's head for the next hop: its own bytes (I1), unless there are lines for one hop only, edits, or another version.
 * `end`: up to where bytes that follow it go with it. The result may share the memory of `bytes`.
 */
export function forwardRequestHead(
  parser: RequestHeadParser,
  bytes: Buffer,
  end: number,
  { edits, upgrade }: RequestForwarding,
): Buffer {
  const isOurs = parser.minorVersion === 1;
  if (!parser.hasHopLines && isOurs && edits === undefined) {
    return parser.start === 0 && end === bytes.length ? bytes : bytes.subarray(parser.start, end);
  }
  // We speak HTTP/1.1, which asks for a host, if an empty one. Source: RFC 9112 §2.3, §3.2
  const host = !isOurs && parser.find("host", 0) < 0 ? "Host: \r\n" : "";
  const added = linesOf(edits?.set ?? []);
  const writer = new HeadWriter(bytes, end - parser.start + host.length + added.length + spareBytes(parser));
  const firstLineEnd = parser.lineStart(0);
  writer.copy(parser.start, firstLineEnd);
  if (!isOurs) writer.bytes[writer.length - 3] = minorVersionOne;
  writer.text(host);
  copyLines(parser, writer, edits?.remove, upgrade ? "upgrade" : "request");
  writer.text(added);
  writer.copy(parser.headEnd - 2, end);
  return writer.written();
}

export interface AnswerForwarding extends RequestForwarding {
  /** The client's connection ends after it: told by a line. */
  readonly closes: boolean;
  /** The body goes on without its framing (and may be chunked anew). */
  readonly reframed?: "chunked" | "close" | undefined;
}

/** Lines that describe the body as it came, and not as it goes on. */
const framingNames = ["content-length", "transfer-encoding", "trailer"];

/** As {@link forwardRequestHead}, but changes `bytes` in place where that is enough. */
export function forwardAnswerHead(
  parser: ResponseHeadParser,
  bytes: Buffer,
  end: number,
  { edits, upgrade, closes, reframed }: AnswerForwarding,
): Buffer {
  // Our own version, whatever the upstream's. Source: RFC 9112 §2.3
  bytes[parser.minorVersionAt] = minorVersionOne;
  if (edits === undefined && !closes && reframed === undefined && !upgrade) {
    if (!parser.hasHopLines) return bytes.subarray(parser.start, end);
    return bytes.subarray(closeGaps(parser, bytes), end);
  }
  let added = linesOf(edits?.set ?? []);
  if (reframed === "chunked") added += "Transfer-Encoding: chunked\r\n";
  if (closes) added += "Connection: close\r\n";
  const removed = reframed === undefined ? edits?.remove : [...(edits?.remove ?? []), ...framingNames];
  const writer = new HeadWriter(bytes, end - parser.start + added.length + spareBytes(parser));
  writer.copy(parser.start, parser.lineStart(0));
  copyLines(parser, writer, removed, upgrade ? "upgrade" : "answer");
  writer.text(added);
  writer.copy(parser.headEnd - 2, end);
  return writer.written();
}

/** Lines may become longer than they were: `te:trailers` gets a space. */
function spareBytes(parser: HeadParser): number {
  return parser.hasHopLines ? parser.lineCount * 2 : 0;
}

/** Moves what comes before a line for one hop only over it. Returns where the head begins then. */
function closeGaps(parser: ResponseHeadParser, bytes: Buffer): number {
  let keptTo = parser.headEnd;
  let target = keptTo;
  for (let line = parser.lineCount - 1; line >= 0; line--) {
    if (!parser.isHopLine(line)) continue;
    const keptFrom = parser.lineStart(line + 1);
    target -= keptTo - keptFrom;
    if (target !== keptFrom) bytes.copyWithin(target, keptFrom, keptTo);
    keptTo = parser.lineStart(line);
  }
  target -= keptTo - parser.start;
  bytes.copyWithin(target, parser.start, keptTo);
  return target;
}

type Kind = "request" | "answer" | "upgrade";

function copyLines(
  parser: HeadParser,
  writer: HeadWriter,
  removed: readonly string[] | undefined,
  kind: Kind,
): void {
  let keptFrom = parser.lineStart(0);
  for (let line = 0; line < parser.lineCount; line++) {
    const isHop = parser.isHopLine(line);
    const isRemoved = removed !== undefined && removed.length > 0 && removed.includes(nameOf(parser, line));
    if (!isHop && !isRemoved) continue;
    writer.copy(keptFrom, parser.lineStart(line));
    keptFrom = parser.lineStart(line + 1);
    if (!isRemoved) copyHopLine(parser, writer, line, kind);
  }
  writer.copy(keptFrom, parser.headEnd - 2);
}

/** What is left of a line for one hop only: the upgrade that both sides agree on, and that trailers are passed on. */
function copyHopLine(parser: HeadParser, writer: HeadWriter, line: number, kind: Kind): void {
  const name = nameOf(parser, line);
  if (name === "te" && kind !== "answer") {
    if (/(?:^|,)\s*trailers\s*(?:,|$)/i.test(parser.valueOf(line))) writer.line(parser, line, "trailers");
  } else if (kind !== "upgrade") return;
  else if (name === "upgrade") writer.copy(parser.lineStart(line), parser.lineStart(line + 1));
  else if (name === "connection" && parser.valueOf(line).toLowerCase().includes(upgradeOption)) {
    writer.line(parser, line, "Upgrade");
  }
}

function nameOf(parser: HeadParser, line: number): string {
  return parser.nameOf(line).toLowerCase();
}

/** Writes a head from pieces of another. */
class HeadWriter {
  readonly bytes: Buffer;
  length = 0;
  readonly #source: Buffer;

  constructor(source: Buffer, capacity: number) {
    this.#source = source;
    this.bytes = Buffer.allocUnsafe(capacity);
  }

  copy(from: number, to: number): void {
    if (to > from) this.length += this.#source.copy(this.bytes, this.length, from, to);
  }

  text(text: string): void {
    if (text !== "") this.length += this.bytes.write(text, this.length, "latin1");
  }

  /** A line with its own name and another value. */
  line(parser: HeadParser, line: number, value: string): void {
    this.copy(parser.lineStart(line), parser.nameEnd(line));
    this.text(`: ${value}\r\n`);
  }

  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}
