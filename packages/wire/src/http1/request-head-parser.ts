import { cr, isHost, isTarget, isToken, isWord, latin1Text, lf, space } from "./bytes.ts";
import type { HeadFault } from "./faults.ts";
import { type Framing, HeadParser, type HeadResult } from "./head-parser.ts";

const beforeMethod = 0;
const atEmptyLineFeed = 1;
const inMethod = 2;
const inTarget = 3;
const inVersion = 4;

const slash = 0x2f;
const asterisk = 0x2a;
const versionBytes = Array.from("HTTP/1.x\r\n", (character) => character.charCodeAt(0));
const minorAt = 7;

/** Reads heads of requests. Source: RFC 9112 §3, §5; stricter where servers are known to differ. */
export class RequestHeadParser extends HeadParser {
  #phase = beforeMethod;
  /** Counted from `start`. */
  #methodEnd = 0;
  #targetEnd = 0;

  get method(): string {
    return latin1Text(this.bytes, this.start, this.methodEnd);
  }

  get methodEnd(): number {
    return this.start + this.#methodEnd;
  }

  /** The request-target as it came. */
  get target(): string {
    return latin1Text(this.bytes, this.targetStart, this.targetEnd);
  }

  get targetStart(): number {
    return this.methodEnd + 1;
  }

  get targetEnd(): number {
    return this.start + this.#targetEnd;
  }

  /** Whether the method is this one (upper-case letters): without making a string of it. */
  isMethod(method: string): boolean {
    if (this.#methodEnd !== method.length) return false;
    for (let index = 0; index < method.length; index++) {
      if (this.bytes[this.start + index] !== method.charCodeAt(index)) return false;
    }
    return true;
  }

  protected override resetFirstLine(): void {
    this.#phase = beforeMethod;
  }

  protected override readFirstLine(to: number): HeadResult {
    const { bytes } = this;
    if (this.#phase <= atEmptyLineFeed) {
      const result = this.#skipEmptyLine(to);
      if (result !== "complete") return result;
    }
    const { start } = this;
    const end = Math.min(to, start + this.limits.maxLineBytes + 2);
    let at = start + this.at;
    if (this.#phase === inMethod) {
      while (at < end && isToken[bytes[at] as number] === 1) at++;
      if (at >= end) return this.#pause(at, end, to);
      if (bytes[at] !== space || at === start) return firstLineFault(bytes[at] as number);
      this.#methodEnd = at - start;
      at++;
      this.#phase = inTarget;
    }
    if (this.#phase === inTarget) {
      while (at < end && isTarget[bytes[at] as number] === 1) at++;
      if (at >= end) return this.#pause(at, end, to);
      if (bytes[at] !== space || at === this.targetStart) return firstLineFault(bytes[at] as number);
      this.#targetEnd = at - start;
      at++;
      this.#phase = inVersion;
    }
    for (let index = at - this.targetEnd - 1; index < versionBytes.length; index++, at++) {
      if (at >= end) return this.#pause(at, end, to);
      const byte = bytes[at] as number;
      if (byte === versionBytes[index] && index !== minorAt) continue;
      if (index !== minorAt || byte < 0x30 || byte > 0x31) return versionFault(index, byte);
      this.minorVersion = byte === 0x30 ? 0 : 1;
    }
    this.at = at - start;
    return "complete";
  }

  protected override framingWithoutLength(): Framing {
    return "none";
  }

  protected override checkHead(hostLines: number): HeadFault | undefined {
    // Source: RFC 9112 §3.2
    if (hostLines > 1) return "two-hosts";
    if (hostLines === 0 && this.minorVersion === 1) return "no-host";
    if (hostLines === 1 && !this.#isHostValid()) return "host";
    const first = this.bytes[this.targetStart] as number;
    if (first === slash) return undefined;
    if (first === asterisk && this.targetEnd - this.targetStart === 1) {
      return this.isMethod("OPTIONS") ? undefined : "target";
    }
    // Authority form: whoever forwards refuses the method itself.
    if (this.isMethod("CONNECT")) return undefined;
    return this.#checkUrl();
  }

  /** An empty one is valid. Source: RFC 9112 §3.2 */
  #isHostValid(): boolean {
    const end = this.valueEnd(this.hostLine);
    for (let at = this.valueStart(this.hostLine); at < end; at++) {
      if (isHost[this.bytes[at] as number] === 0) return false;
    }
    return true;
  }

  /** Absolute form. A server takes the target's host, others look at the line. Source: RFC 9112 §3.2.2. */
  #checkUrl(): HeadFault | undefined {
    const url = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)/i.exec(this.target);
    if (url === null) return "target";
    const line = this.find("host", 0);
    if (line < 0) return "other-host";
    const host = (url[1] as string).toLowerCase();
    const isSame = isWord(this.bytes, this.valueStart(line), this.valueEnd(line), host);
    return isSame ? undefined : "other-host";
  }

  /** One empty line before a request is passed over: old clients send it after a body. Source: RFC 9112 §2.2. */
  #skipEmptyLine(to: number): HeadResult {
    const from = this.start - this.skipped;
    if (this.#phase === beforeMethod) {
      if (from >= to) return "incomplete";
      if (this.bytes[from] !== cr) {
        this.#phase = inMethod;
        return "complete";
      }
      this.#phase = atEmptyLineFeed;
    }
    if (from + 1 >= to) return "incomplete";
    if (this.bytes[from + 1] !== lf) return "bare-cr";
    this.skipped = 2;
    this.start = from + 2;
    this.#phase = inMethod;
    return "complete";
  }

  #pause(at: number, end: number, to: number): HeadResult {
    this.at = at - this.start;
    return end < to || this.at >= this.limits.maxLineBytes + 2 ? "line-too-long" : "incomplete";
  }
}

function firstLineFault(byte: number): HeadFault {
  if (byte === lf) return "bare-lf";
  return (byte < space && byte !== cr) || byte === 0x7f ? "control-byte" : "request-line";
}

function versionFault(index: number, byte: number): HeadFault {
  if (index === versionBytes.length - 1) return "bare-cr";
  if (index === versionBytes.length - 2) return byte === lf ? "bare-lf" : "request-line";
  return index > 4 ? "version" : "request-line";
}
