// @ts-check
// As much of RFC 6455 as messages of up to 125 bytes need: two bytes of head, four of mask from the client.
import { createHash } from "node:crypto";

/** Source: RFC 6455, section 4.2.2. @param {string} key */
export function acceptOf(key) {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

const maskBytes = 4;
const finalText = 0x81;
const masked = 0x80;
const longest = 125;

/** A client's text message. @param {string} text */
export function maskedFrame(text) {
  const payload = Buffer.from(text);
  if (payload.length > longest) throw new RangeError(`a message of this load has at most ${longest} bytes`);
  const mask = [0x12, 0x34, 0x56, 0x78];
  const bytes = payload.map((byte, index) => byte ^ (mask[index % maskBytes] ?? 0));
  return Buffer.concat([Buffer.from([finalText, masked | payload.length, ...mask]), bytes]);
}

/** For a server: takes bytes as they come, gives back the frames that answer those that are whole. */
export function echoFrames() {
  let held = Buffer.alloc(0);
  return (/** @type {Buffer} */ bytes) => {
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    const answers = [];
    let at = 0;
    while (all.length - at >= 2) {
      const length = (all[at + 1] ?? 0) & ~masked;
      const end = at + 2 + maskBytes + length;
      if (end > all.length) break;
      answers.push(unmasked(all, at, length));
      at = end;
    }
    held = all.subarray(at);
    return answers.length === 1 ? (answers[0] ?? held) : Buffer.concat(answers);
  };
}

/** @param {Buffer} bytes @param {number} at @param {number} length */
function unmasked(bytes, at, length) {
  const frame = Buffer.allocUnsafe(2 + length);
  frame[0] = bytes[at] ?? 0;
  frame[1] = length;
  const payloadAt = at + 2 + maskBytes;
  for (let index = 0; index < length; index += 1) {
    frame[2 + index] = (bytes[payloadAt + index] ?? 0) ^ (bytes[at + 2 + (index % maskBytes)] ?? 0);
  }
  return frame;
}
