// @ts-check
// Messages out of a checkout of nodejs/llhttp: its own tests, read when they are run.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";

/**
 * @typedef {object} CorpusMessage
 * @property {string} key File and line.
 * @property {"request" | "answer"} side
 * @property {Buffer} bytes
 * @property {boolean} refused Its strict parser ends with an error, by its own log.
 */

/** Every message of `test/request` and `test/response`. @param {string} folder @returns {CorpusMessage[]} */
export function readCorpus(folder) {
  return /** @type {const} */ ([
    ["request", "request"],
    ["response", "answer"],
  ]).flatMap(([part, side]) =>
    readdirSync(join(folder, "test", part))
      .filter((name) => name.endsWith(".md"))
      .toSorted()
      .flatMap((name) =>
        messagesOf(`${part}/${name}`, side, readFileSync(join(folder, "test", part, name), "utf8")),
      ),
  );
}

/**
 * Each has its settings in a comment, its bytes in a block `http`, and what their parser says of it in a block `log`.
 * @param {string} file @param {"request" | "answer"} side @param {string} page
 * @returns {CorpusMessage[]}
 */
export function messagesOf(file, side, page) {
  const pattern = /<!-- meta=(\{.*?\}) -->\s*```http\n([\s\S]*?)```\s*```log\n([\s\S]*?)```/g;
  return [...page.matchAll(pattern)].map(({ index, 1: settings = "", 2: text = "", 3: log = "" }) => {
    const { type } = JSON.parse(settings);
    const line = page.slice(0, index).split("\n").length;
    // A pause is asked for by the test; an upgrade ends what is HTTP.
    const isStrict = type === side || (type === "response" && side === "answer");
    const refused = isStrict && /error code=(?!2[0-4]\b)/.test(log);
    return { key: `${file}:${line}`, side, bytes: bytesOf(text), refused };
  });
}

/** Their notation: line ends are CR LF, some bytes are escaped, and `${…}` is JavaScript. @param {string} text */
function bytesOf(text) {
  const plain = text
    .replace(/\n$/, "")
    .replace(/\\(\r\n|\r|\n)/g, "")
    .replace(/\r\n|\r|\n/g, "\r\n")
    .replaceAll("\\r", "\r")
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t")
    .replaceAll("\\f", "\f")
    .replace(/\\x([0-9a-fA-F]+)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\([0-7]{1,3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    .replace(/\$\{(.+?)\}/g, (_, code) => String(vm.runInNewContext(code)));
  return Buffer.from(plain, "utf8");
}

/**
 * Most of theirs have no host, without which we refuse all: the same with one in each head of HTTP/1.1 that lacks it. Undefined where
 * that changes nothing.
 * @param {Buffer} bytes
 */
export function withHost(bytes) {
  const text = bytes.toString("latin1");
  const changed = text.replace(/( HTTP\/1\.1\r\n)((?:[^\r\n]+\r\n)*)/g, (whole, end, lines) =>
    /^host:/im.test(lines) ? whole : `${end}Host: h\r\n${lines}`,
  );
  return changed === text ? undefined : Buffer.from(changed, "latin1");
}
