// @ts-check
// What a reader refuses by its own policy, whatever stands around it: stricter than we need to be, so nothing can be understood in two
// ways. For messages that have no list of their own.
import { methodsOfNode } from "./node-reader.mjs";

/** @typedef {import("./understanding.mjs").Message} Message */

const methods = new Set(methodsOfNode);

/** @type {readonly { reader: string, why: string, applies: (message: Message, text: string) => boolean }[]} */
const policies = [
  {
    reader: "node",
    why: "knows a list of methods",
    applies: ({ method }) => method !== undefined && !methods.has(method),
  },
  {
    reader: "node",
    // The line is for one hop, so nobody behind us sees it.
    why: "reads no answer behind an interim one that says close",
    applies: ({ status = 200, headers }) =>
      status < 200 && headers.some(([name, value]) => name === "connection" && /close/i.test(value)),
  },
  {
    reader: "node",
    why: "takes letters only in schemes",
    applies: ({ target = "" }) => /^[a-z]*[^a-z:/][^:/]*:\/\//i.test(target),
  },
  { reader: "node", why: "takes ASCII in targets", applies: ({ target = "" }) => /[^!-~]/.test(target) },
  {
    reader: "nginx",
    why: "knows spaces only around the values that it reads itself",
    applies: (_, text) => /^(?:host|connection):[^\r]*\t/im.test(text),
  },
  { reader: "haproxy", why: "knows PRI from HTTP/2", applies: ({ method }) => method === "PRI" },
  {
    reader: "nginx",
    why: "takes capital letters, `-` and `_` in methods",
    applies: ({ method = "" }) => !/^[A-Z_-]+$/.test(method),
  },
  {
    reader: "nginx",
    why: "takes some lines once only",
    applies: ({ headers }) => headers.filter(([name]) => name === "expect").length > 1,
  },
  { reader: "nginx", why: "answers TRACE itself", applies: ({ method }) => method === "TRACE" },
  {
    reader: "nginx",
    why: "takes paths only, and not those that climb out or are badly encoded",
    applies: ({ target = "" }) => !isPlainPath(target),
  },
  {
    reader: "nginx",
    why: "wants a host that is more than a port",
    applies: ({ headers }) => /^(?:$|:|\[|.*%)/.test(headers.find(([name]) => name === "host")?.[1] ?? "h"),
  },
  {
    reader: "haproxy",
    why: "takes no body with these methods in HTTP/1.0",
    applies: ({ method = "", version, body }) =>
      version === "1.0" && body !== "" && ["GET", "HEAD", "DELETE"].includes(method),
  },
  {
    reader: "haproxy",
    why: "wants a path in a URL",
    applies: ({ target = "" }) => /^[a-z]+:\/\/[^/]*(?:\?|$)/i.test(target),
  },
  { reader: "haproxy", why: "takes ASCII in targets", applies: ({ target = "" }) => /[^!-~]/.test(target) },
];

/** @param {string} target */
function isPlainPath(target) {
  return target.startsWith("/") && !/%(?![0-9a-f]{2})|%00|\.\./i.test(target);
}

/**
 * Readers that may refuse these messages, each with why.
 * @param {readonly Message[]} messages @param {Buffer} bytes What they were read from.
 * @returns {Record<string, string>}
 */
export function policiesFor(messages, bytes) {
  const text = bytes.toString("latin1");
  /** @type {Record<string, string>} */
  const stricter = {};
  for (const { reader, why, applies } of policies)
    if (messages.some((message) => applies(message, text))) stricter[reader] ??= why;
  return stricter;
}
