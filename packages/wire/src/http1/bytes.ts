export const lf = 0x0a;
export const cr = 0x0d;
export const tab = 0x09;
export const space = 0x20;
export const quote = 0x22;
export const comma = 0x2c;
export const colon = 0x3a;
export const semicolon = 0x3b;
export const equalsSign = 0x3d;
export const backslash = 0x5c;

/** Of each of a word's four bytes. */
const highestBits = 0x80808080 | 0;

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Bytes of a method, a field name, a connection option. Source: RFC 9110 §5.6.2, `tchar`. */
export const isToken: Uint8Array = tableOf(
  (byte) => byte < 0x80 && /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)),
);

/** Bytes of a field's value, and of a status line's reason: no control byte but tab. Source: RFC 9110 §5.5. */
export const isFieldValue: Uint8Array = tableOf((byte) => byte === tab || (byte >= space && byte !== 0x7f));

/** All whole words of four bytes, aligned in memory, that these bytes lie in. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const shift = bytes.byteOffset & 3;
  return new Int32Array(bytes.buffer, bytes.byteOffset - shift, (bytes.byteLength + shift) >> 2);
}

/**
 * The first byte from `from` on that may not be in a field's value, else `to`. Looks at four bytes at once up to the first that is
 * not plain, as most of a head is plain values. `words` are {@link wordsOf} the same bytes.
 */
export function endOfFieldValue(bytes: Uint8Array, words: Int32Array, from: number, to: number): number {
  let at = from;
  if (isLittleEndian && to - from >= 4) {
    const shift = bytes.byteOffset & 3;
    const wordsEnd = (to + shift) >> 2;
    const before = (from + shift) & 3;
    let index = (from + shift) >> 2;
    let word = words[index] as number;
    if (before > 0) {
      // What comes before `from` in its word is made plain.
      const bits = before * 8;
      word = (word & (-1 << bits)) | (0x40404040 >>> (32 - bits));
      at -= before;
    }
    for (;;) {
      // The highest bit of the first byte below a space or above 0x7e is set here, and of none before it.
      const unplain = (word | (word - 0x20202020) | (word + 0x01010101)) & highestBits;
      if (unplain !== 0) {
        at += (31 - Math.clz32(unplain & -unplain)) >> 3;
        break;
      }
      at += 4;
      index++;
      if (index >= wordsEnd) break;
      word = words[index] as number;
    }
  }
  while (at < to && isFieldValue[bytes[at] as number] === 1) at++;
  return at;
}

/**
 * Bytes of a request's target. More than RFC 3986 allows, as clients send it and servers agree on what it means; but not `#`,
 * which some take for the end of the path and others for a part of it.
 */
export const isTarget: Uint8Array = tableOf((byte) => byte > space && byte !== 0x7f && byte !== 0x23);

/** Bytes of a host and its port, brackets of an address included. Source: RFC 9110 §7.2, RFC 3986 §3.2.2. */
export const isHost: Uint8Array = tableOf(
  (byte) => byte < 0x80 && /[A-Za-z0-9\-._~!$&'()*+,;=%:[\]]/.test(String.fromCharCode(byte)),
);

/** The value of a hexadecimal digit, else 255. */
export const hexDigit: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte);
  return /^[0-9A-Fa-f]$/.test(digit) ? Number.parseInt(digit, 16) : 255;
});

function tableOf(test: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0));
}

/** One character per byte: what the field lines of HTTP/1.1 are. */
export function latin1Text(bytes: Uint8Array, from: number, to: number): string {
  if (typeof Buffer === "function") {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return buffer.toString("latin1", from, to);
  }
  let text = "";
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}

/** Whether `text` (ASCII, not empty) is among these bytes, letter by letter. */
export function includesText(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  const first = text.charCodeAt(0);
  const last = to - text.length;
  for (let at = from; at <= last; at++) {
    if (bytes[at] !== first) continue;
    let index = 1;
    while (index < text.length && bytes[at + index] === text.charCodeAt(index)) index++;
    if (index === text.length) return true;
  }
  return false;
}

/** Whether these bytes are a word, in any casing of its letters. `lower` is ASCII in lower case. */
export function isWord(bytes: Uint8Array, from: number, to: number, lower: string): boolean {
  if (to - from !== lower.length) return false;
  for (let index = 0; index < lower.length; index++) {
    const byte = bytes[from + index] as number;
    const wanted = lower.charCodeAt(index);
    if (byte === wanted) continue;
    // A letter's other case, and nothing else that the bit would turn into it.
    if (wanted < 0x61 || wanted > 0x7a || byte !== wanted - 0x20) return false;
  }
  return true;
}
