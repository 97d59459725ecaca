// @ts-check
// Our own cases: bytes, and whether they are one message that everybody understands alike or are to be refused, each with the
// paragraph that says so. Texts are latin1: one character is one byte.
import { readdirSync, readFileSync } from "node:fs";

/**
 * @typedef {object} ExpectedMessage
 * @property {string} [method]
 * @property {string} [target]
 * @property {number} [status]
 * @property {string} [body] Without chunks.
 * @property {readonly (readonly [string, string])[]} [trailers]
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {string} source Paragraph of an RFC.
 * @property {string | readonly { text: string, count?: number }[]} bytes
 * @property {readonly ExpectedMessage[]} [accept] Understood as these messages.
 * @property {Record<string, string>} [stricter] Readers that refuse what we accept, each with why that is well.
 * @property {boolean} [closes] The last of them ends the connection; what follows is nobody's.
 * @property {boolean} [ends] An answer whose body ends with the connection.
 * @property {boolean} [unfinished] More is awaited.
 * @property {string} [refuse] The reason; `*` where several are right.
 * @property {readonly ExpectedMessage[]} [after] Good messages before the refused one.
 * @property {"head" | "body"} [where] Whether the fault lies in a head (default): then not a byte goes on.
 * @property {number} [status] What it is refused with. Default 400.
 * @property {string} [method] Of the request that an answer answers. Default GET.
 *
 * @typedef {Omit<Case, "bytes"> & { key: string, side: "request" | "answer", bytes: Buffer }} LoadedCase
 */

const folder = new URL("./", import.meta.url);

/** Every case of every file. @returns {LoadedCase[]} */
export function loadCases() {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.toSorted().flatMap((file) => {
    const { side, cases } = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    return cases.map((/** @type {Case} */ one) => ({
      ...one,
      side,
      key: `${file.slice(0, -5)}: ${one.name}`,
      bytes: bytesOf(one.bytes),
    }));
  });
}

/** @param {Case["bytes"]} bytes */
function bytesOf(bytes) {
  const text =
    typeof bytes === "string" ? bytes : bytes.map((part) => part.text.repeat(part.count ?? 1)).join("");
  return Buffer.from(text, "latin1");
}

/** Bytes as a string that JavaScript reads back with `Buffer.from(…, "latin1")`. @param {Buffer} bytes */
export function escaped(bytes) {
  const text = bytes
    .toString("latin1")
    .replace(/[\\"]/g, "\\$&")
    .replaceAll("\r", "\\r")
    .replaceAll("\n", "\\n")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that cannot be shown
    .replace(/[\0-\x1f\x7f-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${text}"`;
}
