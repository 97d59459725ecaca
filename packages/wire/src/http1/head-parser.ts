import {
  colon,
  comma,
  cr,
  endOfFieldValue,
  includesText,
  isToken,
  isWord,
  latin1Text,
  lf,
  space,
  tab,
  wordsOf,
} from "./bytes.ts";
import type { HeadFault } from "./faults.ts";

/** `incomplete`: call again with more. Anything but that and `complete` is a fault; the message must be refused. */
export type HeadResult = "complete" | "incomplete" | HeadFault;

/** How a message's end is found. Source: RFC 9112 §6.3. */
export type Framing = "none" | "length" | "chunked" | "until-close";

export interface HeadLimits {
  /** First line to empty line, in bytes. Default 32 KiB: what common servers take at most. */
  readonly maxHeadBytes: number;
  /** One line without its end, in bytes. Default 16 KiB: what Node and others take of a whole head. */
  readonly maxLineBytes: number;
}

export const defaultHeadLimits: HeadLimits = { maxHeadBytes: 32 * 1024, maxLineBytes: 16 * 1024 };

/** What a line is to the hop it is on. */
const ordinary = 0;
/** For this hop only. Source: RFC 9110 §7.6.1. */
const hopByHop = 1;
/** Named by `connection`, so for this hop only. */
const nominated = 2;

/** Offsets kept of a line: name's start and end, value's start and end (without white space around it), and what it is. */
const stride = 5;

const inFirstLine = 0;
const atLine = 1;
const inName = 2;
const inValue = 3;
const atLineFeed = 4;
const atLastLineFeed = 5;

/** By {@link shapeOf}: which names may be one that this parser has to know. Spares comparing all others. */
const mayMatter = new Uint8Array(32 * 32);
for (const name of [
  "te",
  "host",
  "expect",
  "upgrade",
  "keep-alive",
  "connection",
  "content-length",
  "proxy-connection",
  "transfer-encoding",
]) {
  mayMatter[shapeOf(name.length, name.charCodeAt(0))] = 1;
}

/** Of a name's length and its first letter, in either case. */
function shapeOf(length: number, first: number): number {
  return (length << 5) | (first & 31);
}

/** What `connection` may not take away: framing and the target. Guards against smuggling by nomination. */
const neverNominated: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding"]);

/**
 * Finds a head's end, checks it and notes where its lines are; makes no strings until asked. One parser reads one head after
 * another: the call after `complete` or a fault begins a new one. After `incomplete` the next call goes on where this one
 * stopped (a head that comes byte by byte costs linear time), and wants the same bytes again with more behind them, in the same
 * or another buffer. What it tells holds until the next call.
 */
export abstract class HeadParser {
  /** Of the bytes given last: where the head begins. Empty lines before it are not part of it. */
  start = 0;
  /** … and where it ends, after its empty line. */
  headEnd = 0;
  /** HTTP/1.`minorVersion`. */
  minorVersion: 0 | 1 = 1;
  /** How the body's end is found, as far as the head alone tells; the answer to a HEAD request has none. */
  framing: Framing = "none";
  /** With framing `length`. */
  contentLength = 0;
  /** Whether the connection may carry another message after this one, if the framing lets it. Source: RFC 9112 §9.3. */
  keepAlive = true;
  /** `connection` names `upgrade`. */
  asksUpgrade = false;
  /** There are lines for this hop only. */
  hasHopLines = false;
  /** `keep-alive` is there. */
  hasKeepAlive = false;
  /** `expect` is there. */
  expects = false;
  /** Grows with each head: tells whoever kept this parser for what it said that it now says something else. */
  generation = 0;
  lineCount = 0;

  /** The last `host` line, else -1. */
  protected hostLine = -1;
  protected bytes: Uint8Array = new Uint8Array(0);
  /** Where reading stopped, counted from `start`. */
  protected at = 0;
  /** Bytes of empty lines before the head. */
  protected skipped = 0;
  protected readonly limits: HeadLimits;
  #lines = new Int32Array(32 * stride);
  /** Of an incomplete line: where it begins, and where its name ends, counted from `start`. */
  #lineFrom = 0;
  #nameEnd = 0;
  #words: Int32Array = new Int32Array(0);
  /** Whose words these are. */
  #wordsOf: Uint8Array | undefined;
  #phase = inFirstLine;
  #isFresh = true;
  #hostLines = 0;
  #lengthLines = 0;
  #codingLines = 0;
  #optionClose = false;
  #optionKeepAlive = false;
  #nominated: string[] | undefined;

  constructor(limits: HeadLimits = defaultHeadLimits) {
    this.limits = limits;
  }

  /** Reads `bytes` from `from` (where the message begins) to `to`. */
  parse(bytes: Uint8Array, from: number, to: number): HeadResult {
    if (this.#isFresh) this.#begin();
    this.bytes = bytes;
    this.start = from + this.skipped;
    const result = this.#read(to);
    if (result !== "incomplete") this.#isFresh = true;
    else if (to - from > this.limits.maxHeadBytes) return this.#fault("head-too-large");
    return result;
  }

  /** Forgets an incomplete head. */
  reset(): void {
    this.#isFresh = true;
  }

  /** The values of all lines of a name (lower-case), joined by `, `, in order. */
  header(lowerName: string): string | undefined {
    let value: string | undefined;
    for (let line = this.find(lowerName, 0); line >= 0; line = this.find(lowerName, line + 1)) {
      value = value === undefined ? this.valueOf(line) : `${value}, ${this.valueOf(line)}`;
    }
    return value;
  }

  /** Whether a value of a name (lower-case) has this text (ASCII) in it. Makes no string of the value. */
  includes(lowerName: string, text: string): boolean {
    for (let line = this.find(lowerName, 0); line >= 0; line = this.find(lowerName, line + 1)) {
      if (includesText(this.bytes, this.valueStart(line), this.valueEnd(line), text)) return true;
    }
    return false;
  }

  /** The first line of a name (lower-case) at or after line `from`, else -1. */
  find(lowerName: string, from: number): number {
    const lines = this.#lines;
    const { length } = lowerName;
    for (let line = from, at = from * stride; line < this.lineCount; line++, at += stride) {
      const name = lines[at] as number;
      const end = lines[at + 1] as number;
      if (end - name === length && isWord(this.bytes, this.start + name, this.start + end, lowerName))
        return line;
    }
    return -1;
  }

  /** Name, value, name, value …, as they came but for white space around a value. */
  get rawHeaders(): string[] {
    const raw: string[] = [];
    for (let line = 0; line < this.lineCount; line++) raw.push(this.nameOf(line), this.valueOf(line));
    return raw;
  }

  nameOf(line: number): string {
    return this.#text(line * stride);
  }

  valueOf(line: number): string {
    return this.#text(line * stride + 2);
  }

  /** Where a line begins, in the bytes given last. Line `lineCount` is the empty one that ends the head. */
  lineStart(line: number): number {
    return line < this.lineCount ? this.start + (this.#lines[line * stride] as number) : this.headEnd - 2;
  }

  nameEnd(line: number): number {
    return this.start + (this.#lines[line * stride + 1] as number);
  }

  valueStart(line: number): number {
    return this.start + (this.#lines[line * stride + 2] as number);
  }

  valueEnd(line: number): number {
    return this.start + (this.#lines[line * stride + 3] as number);
  }

  /**
   * Whether a line is for this hop only: `connection`, `keep-alive`, `proxy-connection`, `te`, `upgrade`, or named by
   * `connection`. `transfer-encoding` is not among them: framing goes on as it came. Source: RFC 9110 §7.6.1.
   */
  isHopLine(line: number): boolean {
    return this.#lines[line * stride + 4] !== ordinary;
  }

  /** Reads the first line from `this.at` on; returns `complete` when `this.at` is behind its line end. */
  protected abstract readFirstLine(to: number): HeadResult;

  /** What only this kind of message must fulfil. */
  protected abstract checkHead(hostLines: number): HeadFault | undefined;

  /** Framing of a message that has neither length nor coding. */
  protected abstract framingWithoutLength(): Framing;

  protected abstract resetFirstLine(): void;

  #text(at: number): string {
    const { start } = this;
    return latin1Text(
      this.bytes,
      start + (this.#lines[at] as number),
      start + (this.#lines[at + 1] as number),
    );
  }

  #begin(): void {
    this.#isFresh = false;
    this.generation++;
    this.at = 0;
    this.skipped = 0;
    this.lineCount = 0;
    this.contentLength = 0;
    this.framing = "none";
    this.asksUpgrade = false;
    this.hasHopLines = false;
    this.hasKeepAlive = false;
    this.expects = false;
    this.#phase = inFirstLine;
    this.hostLine = -1;
    this.#hostLines = 0;
    this.#lengthLines = 0;
    this.#codingLines = 0;
    this.#optionClose = false;
    this.#optionKeepAlive = false;
    this.#nominated = undefined;
    this.resetFirstLine();
  }

  #fault(fault: HeadFault): HeadFault {
    this.#isFresh = true;
    return fault;
  }

  #read(to: number): HeadResult {
    if (this.#phase === inFirstLine) {
      const result = this.readFirstLine(to);
      if (result !== "complete") return result;
      this.#phase = atLine;
    }
    return this.#readLines(to);
  }

  #readLines(to: number): HeadResult {
    const { bytes, start } = this;
    const words = this.#wordsIn(bytes);
    const { maxLineBytes } = this.limits;
    let at = start + this.at;
    let phase = this.#phase;
    let from = start + this.#lineFrom;
    let nameEnd = start + this.#nameEnd;
    for (;;) {
      if (phase === atLine) {
        if (at >= to) break;
        if (bytes[at] === cr) {
          at++;
          phase = atLastLineFeed;
        } else {
          from = at;
          phase = inName;
        }
      }
      if (phase === inName) {
        while (at < to && isToken[bytes[at] as number] === 1) at++;
        if (at - from > maxLineBytes) return "line-too-long";
        if (at >= to) break;
        if (bytes[at] !== colon || at === from) return this.#nameFault(at, at === from);
        nameEnd = at;
        at++;
        phase = inValue;
      }
      if (phase === inValue) {
        at = endOfFieldValue(bytes, words, at, to);
        if (at - from > maxLineBytes) return "line-too-long";
        if (at >= to) break;
        if (bytes[at] !== cr) return bytes[at] === lf ? "bare-lf" : "control-byte";
        at++;
        phase = atLineFeed;
      }
      if (at >= to) break;
      if (bytes[at] !== lf) return "bare-cr";
      at++;
      if (phase === atLastLineFeed) return this.#complete(at);
      const fault = this.#closeLine(from, nameEnd, at - 2);
      if (fault !== undefined) return fault;
      phase = atLine;
    }
    this.at = at - start;
    this.#phase = phase;
    this.#lineFrom = from - start;
    this.#nameEnd = nameEnd - start;
    return "incomplete";
  }

  /** Made once for a buffer that is read into again and again. */
  #wordsIn(bytes: Uint8Array): Int32Array {
    if (this.#wordsOf !== bytes) {
      this.#wordsOf = bytes;
      this.#words = wordsOf(bytes);
    }
    return this.#words;
  }

  #roomForLine(): Int32Array {
    const lines = this.#lines;
    if ((this.lineCount + 1) * stride <= lines.length) return lines;
    this.#lines = new Int32Array(lines.length * 2);
    this.#lines.set(lines);
    return this.#lines;
  }

  #nameFault(at: number, isAtStart: boolean): HeadFault {
    const byte = this.bytes[at] as number;
    if (byte === space || byte === tab) {
      if (!isAtStart) return "space-before-colon";
      return this.lineCount > 0 ? "folded-line" : "field-name";
    }
    if (byte === cr) return "no-colon";
    if (byte === lf) return "bare-lf";
    return byte < space || byte === 0x7f ? "control-byte" : "field-name";
  }

  /** Notes where a line's name and value are. */
  #closeLine(name: number, nameEnd: number, end: number): HeadFault | undefined {
    const { bytes, start } = this;
    const lines = this.#roomForLine();
    const line = this.lineCount++ * stride;
    let from = nameEnd + 1;
    let to = end;
    while (from < to && isBlank(bytes[from] as number)) from++;
    while (to > from && isBlank(bytes[to - 1] as number)) to--;
    lines[line] = name - start;
    lines[line + 1] = nameEnd - start;
    lines[line + 2] = from - start;
    lines[line + 3] = to - start;
    lines[line + 4] = ordinary;
    return mayMatter[shapeOf(nameEnd - name, bytes[name] as number)] === 1
      ? this.#heed(line, name, nameEnd, end)
      : undefined;
  }

  /** What a line means to this hop. Apart from {@link #closeLine}, so that V8 inlines that one. */
  #heed(line: number, name: number, nameEnd: number, end: number): HeadFault | undefined {
    const { bytes } = this;
    const from = this.start + (this.#lines[line + 2] as number);
    const to = this.start + (this.#lines[line + 3] as number);
    switch (nameEnd - name) {
      case 2:
        if (isWord(bytes, name, nameEnd, "te")) this.#hop(line);
        return undefined;
      case 4:
        if (isWord(bytes, name, nameEnd, "host")) {
          this.#hostLines++;
          this.hostLine = this.lineCount - 1;
        }
        return undefined;
      case 6:
        if (isWord(bytes, name, nameEnd, "expect")) this.expects = true;
        return undefined;
      case 7:
        if (isWord(bytes, name, nameEnd, "upgrade")) this.#hop(line);
        return undefined;
      case 10:
        if (isWord(bytes, name, nameEnd, "keep-alive")) {
          this.#hop(line);
          this.hasKeepAlive = true;
        } else if (isWord(bytes, name, nameEnd, "connection")) {
          this.#hop(line);
          this.#readOptions(from, to);
        }
        return undefined;
      case 14:
        if (!isWord(bytes, name, nameEnd, "content-length")) return undefined;
        return hasTabAround(bytes, nameEnd + 1, from, to, end)
          ? "content-length"
          : this.#readLength(from, to);
      case 16:
        if (isWord(bytes, name, nameEnd, "proxy-connection")) this.#hop(line);
        return undefined;
      case 17:
        if (!isWord(bytes, name, nameEnd, "transfer-encoding")) return undefined;
        return hasTabAround(bytes, nameEnd + 1, from, to, end)
          ? "transfer-encoding"
          : this.#readCoding(from, to);
      default:
        return undefined;
    }
  }

  #hop(line: number): void {
    this.hasHopLines = true;
    this.#lines[line + 4] = hopByHop;
  }

  /** Options of `connection`. Source: RFC 9110 §7.6.1. */
  #readOptions(from: number, to: number): void {
    const { bytes } = this;
    for (let at = from; at < to; ) {
      let end = at;
      while (end < to && bytes[end] !== comma) end++;
      let last = end;
      while (at < last && isBlank(bytes[at] as number)) at++;
      while (last > at && isBlank(bytes[last - 1] as number)) last--;
      if (isWord(bytes, at, last, "close")) this.#optionClose = true;
      else if (isWord(bytes, at, last, "keep-alive")) this.#optionKeepAlive = true;
      else if (isWord(bytes, at, last, "upgrade")) this.asksUpgrade = true;
      else if (last > at) {
        this.#nominated ??= [];
        this.#nominated.push(latin1Text(bytes, at, last).toLowerCase());
      }
      at = end + 1;
    }
  }

  /** Digits, and so few that every reader holds the number. Source: RFC 9110 §8.6, RFC 9112 §6.3. */
  #readLength(from: number, to: number): HeadFault | undefined {
    if (this.#lengthLines > 0) return "two-content-lengths";
    this.#lengthLines++;
    if (from === to || to - from > 15) return "content-length";
    let length = 0;
    for (let at = from; at < to; at++) {
      const digit = (this.bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) return "content-length";
      length = length * 10 + digit;
    }
    this.contentLength = length;
    return undefined;
  }

  #readCoding(from: number, to: number): HeadFault | undefined {
    if (this.#codingLines > 0) return "two-transfer-encodings";
    this.#codingLines++;
    return isWord(this.bytes, from, to, "chunked") ? undefined : "transfer-encoding";
  }

  #complete(end: number): HeadResult {
    this.headEnd = end;
    if (end - this.start > this.limits.maxHeadBytes) return "head-too-large";
    if (this.#codingLines > 0) {
      if (this.#lengthLines > 0) return "both-lengths";
      if (this.minorVersion === 0) return "transfer-encoding-in-http10";
      this.framing = "chunked";
    } else if (this.#lengthLines > 0) this.framing = "length";
    else this.framing = this.framingWithoutLength();
    this.keepAlive = !this.#optionClose && (this.minorVersion === 1 || this.#optionKeepAlive);
    if (this.#nominated !== undefined) this.#markNominated(this.#nominated);
    return this.checkHead(this.#hostLines) ?? "complete";
  }

  #markNominated(names: readonly string[]): void {
    for (const name of names) {
      if (neverNominated.has(name)) continue;
      for (let line = this.find(name, 0); line >= 0; line = this.find(name, line + 1)) {
        const at = line * stride + 4;
        if (this.#lines[at] === ordinary) this.#lines[at] = nominated;
      }
    }
  }
}

/**
 * Whether the white space around a value is more than spaces. Tabs are allowed there, but to Node's parser a coding with one behind it
 * is another coding, and nginx refuses them.
 */
function hasTabAround(bytes: Uint8Array, before: number, from: number, to: number, after: number): boolean {
  for (let at = before; at < from; at++) if (bytes[at] === tab) return true;
  for (let at = to; at < after; at++) if (bytes[at] === tab) return true;
  return false;
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab;
}
