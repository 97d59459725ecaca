import {
  backslash,
  colon,
  cr,
  equalsSign,
  hexDigit,
  isFieldValue,
  isToken,
  lf,
  quote,
  semicolon,
} from "./bytes.ts";
import type { ChunkFault } from "./faults.ts";

export type ScanResult = "complete" | "incomplete" | ChunkFault;

export interface ChunkLimits {
  /** Extensions of all chunks of a body, in bytes. Default 16 KiB, as Node: nobody uses more, and they carry nothing. */
  readonly maxExtensionBytes: number;
  /** All trailer lines with their ends. Default 32 KiB: as a head. */
  readonly maxTrailerBytes: number;
}

export const defaultChunkLimits: ChunkLimits = { maxExtensionBytes: 16 * 1024, maxTrailerBytes: 32 * 1024 };

/** 2^48: far more than anybody sends, and exact in every reader's arithmetic. */
const maxSizeDigits = 12;

/**
 * What some would take into the head, and others refuse: framing, the target, and what is said to the next hop (a `connection: close`
 * there ends the connection to Node). Source: RFC 9110 §6.5.1.
 */
const neverTrailers = [
  "content-length",
  "transfer-encoding",
  "host",
  "connection",
  "proxy-connection",
  "upgrade",
];

const atSize = 0;
const inSize = 1;
const atExtension = 2;
const inExtension = 3;
const atExtensionValue = 4;
const inExtensionValue = 5;
const inQuoted = 6;
const afterBackslash = 7;
const afterQuoted = 8;
const atSizeLineFeed = 9;
const inData = 10;
const atDataReturn = 11;
const atDataLineFeed = 12;
const atTrailer = 13;
const inTrailerName = 14;
const inTrailerValue = 15;
const atTrailerLineFeed = 16;
const atLastLineFeed = 17;

/**
 * Finds the end of a chunked body, extensions and trailers included, piece by piece as it comes, without copying or changing
 * anything. Strict: a size is 1–12 hexadecimal digits, every line ends with CR LF. One scanner scans one body after another.
 * Source: RFC 9112 §7.1.
 */
export class ChunkedScanner {
  /** After `complete`: where the body ended, in the bytes given last. After a fault: where it is. */
  end = 0;
  readonly #limits: ChunkLimits;
  #phase = atSize;
  #sizeDigits = 0;
  /** Of the chunk's data that is still to come. */
  #left = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #nameBytes = 0;
  /** A bit for each of {@link neverTrailers} that the name may still become. */
  #mayBecome = 0;

  constructor(limits: ChunkLimits = defaultChunkLimits) {
    this.#limits = limits;
  }

  /** Begins a new body. Also done by itself after `complete`. */
  reset(): void {
    this.#phase = atSize;
    this.#sizeDigits = 0;
    this.#left = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
  }

  /**
   * Reads `bytes` from `from` to `to`. `incomplete`: all of it belongs to the body, and there is more to come.
   * `onData` is told each run of the chunks' data.
   */
  scan(bytes: Uint8Array, from: number, to: number, onData?: (from: number, to: number) => void): ScanResult {
    let at = from;
    while (at < to) {
      if (this.#phase === inData) {
        const end = Math.min(to, at + this.#left);
        onData?.(at, end);
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#phase = atDataReturn;
        continue;
      }
      const byte = bytes[at++] as number;
      const result = this.#phase < inData ? this.#readSizeLine(byte) : this.#readEnd(byte);
      if (result === undefined) continue;
      if (result === "complete") this.reset();
      this.end = result === "complete" ? at : at - 1;
      return result;
    }
    this.end = to;
    return "incomplete";
  }

  #readSizeLine(byte: number): ChunkFault | undefined {
    const phase = this.#phase;
    if (phase <= inSize) return this.#readSize(byte);
    if (phase === atSizeLineFeed) {
      if (byte !== lf) return "chunk-size";
      this.#phase = this.#left === 0 ? atTrailer : inData;
      return undefined;
    }
    if (++this.#extensionBytes > this.#limits.maxExtensionBytes) return "chunk-extensions-too-long";
    const next = nextInExtension(phase, byte);
    if (next === undefined) return "chunk-extension";
    this.#phase = next;
    return undefined;
  }

  #readSize(byte: number): ChunkFault | undefined {
    const digit = hexDigit[byte] as number;
    if (digit < 16) {
      if (this.#phase === atSize) {
        this.#phase = inSize;
        this.#sizeDigits = 0;
        this.#left = 0;
      }
      if (++this.#sizeDigits > maxSizeDigits) return "chunk-size-too-large";
      this.#left = this.#left * 16 + digit;
      return undefined;
    }
    if (this.#phase === atSize) return "chunk-size";
    if (byte === cr) this.#phase = atSizeLineFeed;
    else if (byte === semicolon) this.#phase = atExtension;
    else return "chunk-size";
    return undefined;
  }

  /** The end of a chunk's data, and what follows the last chunk. */
  #readEnd(byte: number): ChunkFault | "complete" | undefined {
    if (this.#phase === atDataReturn) {
      if (byte !== cr) return "chunk-end";
      this.#phase = atDataLineFeed;
      return undefined;
    }
    if (this.#phase === atDataLineFeed) {
      if (byte !== lf) return "chunk-end";
      this.#phase = atSize;
      return undefined;
    }
    if (this.#phase === atLastLineFeed) return byte === lf ? "complete" : "trailer";
    if (++this.#trailerBytes > this.#limits.maxTrailerBytes) return "trailers-too-large";
    if (this.#phase <= inTrailerName && this.#isForbiddenName(byte)) return "trailer";
    const next = nextInTrailer(this.#phase, byte);
    if (next === undefined) return "trailer";
    this.#phase = next;
    return undefined;
  }

  /** Follows a trailer's name byte by byte; true at its colon when it is one that may not be there. */
  #isForbiddenName(byte: number): boolean {
    if (this.#phase === atTrailer) {
      this.#nameBytes = 0;
      this.#mayBecome = (1 << neverTrailers.length) - 1;
    }
    if (this.#mayBecome === 0) return false;
    for (const [index, name] of neverTrailers.entries()) {
      if ((this.#mayBecome & (1 << index)) === 0) continue;
      if (byte === colon && this.#nameBytes === name.length) return true;
      // A letter's other case; no byte that the bit would turn into a hyphen may be in a name.
      if ((byte | 0x20) !== name.charCodeAt(this.#nameBytes)) this.#mayBecome &= ~(1 << index);
    }
    this.#nameBytes++;
    return false;
  }
}

/**
 * `;name`, `;name=token`, `;name="quoted"`, without white space between: it is allowed, but nobody sends it, and not everybody
 * takes it. Source: RFC 9112 §7.1.1.
 */
function nextInExtension(phase: number, byte: number): number | undefined {
  switch (phase) {
    case atExtension:
      return isToken[byte] === 1 ? inExtension : undefined;
    case inExtension:
      if (isToken[byte] === 1) return inExtension;
      return byte === equalsSign ? atExtensionValue : afterExtension(byte);
    case atExtensionValue:
      if (byte === quote) return inQuoted;
      return isToken[byte] === 1 ? inExtensionValue : undefined;
    case inExtensionValue:
      return isToken[byte] === 1 ? inExtensionValue : afterExtension(byte);
    case inQuoted:
      if (byte === quote) return afterQuoted;
      if (byte === backslash) return afterBackslash;
      return isFieldValue[byte] === 1 ? inQuoted : undefined;
    case afterBackslash:
      return isFieldValue[byte] === 1 ? inQuoted : undefined;
    default:
      return afterExtension(byte);
  }
}

function afterExtension(byte: number): number | undefined {
  if (byte === semicolon) return atExtension;
  return byte === cr ? atSizeLineFeed : undefined;
}

/** Lines as in a head. Source: RFC 9112 §7.1.2. */
function nextInTrailer(phase: number, byte: number): number | undefined {
  switch (phase) {
    case atTrailer:
      if (byte === cr) return atLastLineFeed;
      return isToken[byte] === 1 ? inTrailerName : undefined;
    case inTrailerName:
      if (isToken[byte] === 1) return inTrailerName;
      return byte === colon ? inTrailerValue : undefined;
    case inTrailerValue:
      if (isFieldValue[byte] === 1) return inTrailerValue;
      return byte === cr ? atTrailerLineFeed : undefined;
    default:
      return byte === lf ? atTrailer : undefined;
  }
}
