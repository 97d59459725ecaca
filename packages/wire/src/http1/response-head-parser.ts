import { cr, isFieldValue, latin1Text, lf, space } from "./bytes.ts";
import type { HeadFault } from "./faults.ts";
import { type Framing, HeadParser, type HeadResult } from "./head-parser.ts";

const inVersion = 0;
const inReason = 1;
const atLineFeed = 2;

const prefixBytes = Array.from("HTTP/1.x ", (character) => character.charCodeAt(0));
const minorAt = 7;
const statusAt = prefixBytes.length;
const statusEnd = statusAt + 3;

/** Reads heads of answers. Source: RFC 9112 §4, §5. */
export class ResponseHeadParser extends HeadParser {
  status = 0;
  #phase = inVersion;
  /** Counted from `start`. */
  #reasonEnd = 0;

  /** What follows the status, without the space between; may be empty. */
  get reason(): string {
    return latin1Text(
      this.bytes,
      this.start + statusEnd + 1,
      Math.max(this.reasonEnd, this.start + statusEnd + 1),
    );
  }

  get reasonEnd(): number {
    return this.start + this.#reasonEnd;
  }

  /** Where the digit of the minor version is: a proxy writes its own there. Source: RFC 9112 §2.3. */
  get minorVersionAt(): number {
    return this.start + minorAt;
  }

  protected override resetFirstLine(): void {
    this.#phase = inVersion;
    this.status = 0;
  }

  protected override readFirstLine(to: number): HeadResult {
    const { bytes, start } = this;
    let at = start + this.at;
    for (; this.#phase === inVersion; at++) {
      if (at >= to) return this.#pause(at);
      const fault = this.#readPrefix(at - start, bytes[at] as number);
      if (fault !== undefined) return fault;
      if (at - start === statusEnd) this.#phase = inReason;
    }
    if (this.#phase === inReason) {
      // Some leave out the space when there is no reason.
      if (bytes[start + statusEnd] === cr && at === start + statusEnd + 1) at--;
      while (at < to && isFieldValue[bytes[at] as number] === 1) at++;
      if (at - start > this.limits.maxLineBytes) return "line-too-long";
      if (at >= to) return this.#pause(at);
      if (bytes[at] !== cr) return bytes[at] === lf ? "bare-lf" : "control-byte";
      this.#reasonEnd = at - start;
      at++;
      this.#phase = atLineFeed;
    }
    if (at >= to) return this.#pause(at);
    if (bytes[at] !== lf) return "bare-cr";
    this.at = at + 1 - start;
    return "complete";
  }

  protected override framingWithoutLength(): Framing {
    return "until-close";
  }

  protected override checkHead(): HeadFault | undefined {
    const { status } = this;
    // There are none in HTTP/1.0: to some the connection ends after it. Source: RFC 9110 §15.2.
    if (status < 200 && this.minorVersion === 0) return "status-line";
    // These have no body, whatever their lines say. Source: RFC 9110 §6.4.1, RFC 9112 §6.3.
    if (status < 200 || status === 204 || status === 304) {
      if (this.framing === "chunked" && status !== 304) return "transfer-encoding";
      this.framing = "none";
    }
    return undefined;
  }

  #readPrefix(index: number, byte: number): HeadFault | undefined {
    if (index < statusAt) {
      if (byte === prefixBytes[index] && index !== minorAt) return undefined;
      if (index !== minorAt || byte < 0x30 || byte > 0x31)
        return index > 4 && index < 8 ? "version" : "status-line";
      this.minorVersion = byte === 0x30 ? 0 : 1;
      return undefined;
    }
    if (index < statusEnd) {
      // A status begins with a digit from 1 on. Source: RFC 9110 §15.
      if (byte < (index === statusAt ? 0x31 : 0x30) || byte > 0x39) return "status-line";
      this.status = this.status * 10 + byte - 0x30;
      return undefined;
    }
    return byte === space || byte === cr ? undefined : "status-line";
  }

  #pause(at: number): HeadResult {
    this.at = at - this.start;
    return "incomplete";
  }
}
