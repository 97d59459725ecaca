// @ts-check
// The examples of the specification's own pages, read from a checkout: which there are, and what each is.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "./judge.mjs";
import { isObject } from "./match.mjs";

/**
 * @typedef {object} Example
 * @property {string} name `page.md#heading`, and `/2` for the second one below a heading.
 * @property {string} page
 * @property {Kind} kind
 * @property {Record<string, unknown> | undefined} document Undefined when it is not a JSON object.
 *
 * @typedef {"request" | "success" | "failure" | "call" | "context" | "arguments" | "extensions" | "result" | "errors" |
 *   "error" | "source" | "events" | "not a message" | "not JSON"} Kind
 */

/** @param {string} directory The root of the checkout. @returns {Example[]} */
export function readExamples(directory) {
  const folder = join(directory, "spec");
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".md"),
  );
  return pages.toSorted().flatMap((page) => examplesOf(page, readFileSync(join(folder, page), "utf8")));
}

/**
 * Every fenced block that is JSON, a message of HTTP or a stream of events. A block that shows a request and its answer
 * is two.
 * @param {string} page @param {string} markdown
 */
export function examplesOf(page, markdown) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  return fencedBlocks(markdown).flatMap(({ heading, language, text }) => {
    if (!isExample(language, text)) return [];
    return messagesIn(text).map((message) => {
      const place = `${page}#${heading}`;
      const count = (counts.get(place) ?? 0) + 1;
      counts.set(place, count);
      return { name: count === 1 ? place : `${place}/${count}`, page, ...classify(message) };
    });
  });
}

/** @param {string} markdown */
function fencedBlocks(markdown) {
  const blocks = [];
  let heading = "";
  /** @type {{ heading: string, language: string, lines: string[] } | undefined} */
  let block;
  for (const line of markdown.split("\n")) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence === null) {
      if (block !== undefined) block.lines.push(line);
      else if (line.startsWith("#")) heading = slug(line);
    } else if (block === undefined) {
      block = { heading, language: fence[1] ?? "", lines: [] };
    } else {
      blocks.push({ heading: block.heading, language: block.language, text: block.lines.join("\n") });
      block = undefined;
    }
  }
  return blocks;
}

/** @param {string} language @param {string} text */
function isExample(language, text) {
  return language === "json" || (language === "http" && text.includes("{")) || isEvents(text);
}

/** @param {string} text */
function isEvents(text) {
  return /^event: /m.test(text);
}

/** Lines of comment stand before each message of several. @param {string} text */
function messagesIn(text) {
  if (isEvents(text)) return [text];
  // Of a message of HTTP, what follows the first empty line.
  const body = /^(?:HTTP\/|[A-Z]+ \/)/.test(text) ? text.slice(text.indexOf("\n\n") + 2) : text;
  return body.split(/^\s*\/\/.*$/m).filter((part) => part.trim() !== "");
}

/** As the pages' own links name their headings. @param {string} line */
function slug(line) {
  return line
    .replace(/^#+ */, "")
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, "")
    .trim()
    .replaceAll(" ", "-");
}

/** Members by which a part of a message is known, the surest first. @type {readonly (readonly [string, Kind])[]} */
const parts = [
  ["call", "call"],
  ["errors", "errors"],
  ["result", "result"],
  ["context", "context"],
  ["extensions", "extensions"],
  ["arguments", "arguments"],
  ["code", "error"],
  ["source", "source"],
];

/** @param {string} text @returns {Pick<Example, "kind" | "document">} */
function classify(text) {
  if (isEvents(text)) return { kind: "events", document: undefined };
  const document = parse(text);
  if (!isObject(document)) return { kind: "not JSON", document: undefined };
  if ("protocol" in document && "id" in document) {
    if ("call" in document) return { kind: "request", document };
    return { kind: "errors" in document ? "failure" : "success", document };
  }
  const part = parts.find(([member]) => member in document);
  // The rest are values, such as resources, that stand inside of messages.
  return { kind: part?.[1] ?? "not a message", document };
}

/**
 * An example as a case of its own. A request is sent as it stands, or as much of one as there is, and must be understood,
 * whether or not there is such a function; a result or errors must come back from the functions that answer what they
 * are told. Undefined: nothing that could be sent.
 * @param {Example} example @returns {import("./cases.mjs").LoadedCase | undefined}
 */
export function caseFor({ name, page, kind, document }) {
  const step = document === undefined ? undefined : stepFor(kind, document);
  if (step === undefined) return undefined;
  const title = `the example as it stands (${kind})`;
  return { name: "example", key: name, page, paragraph: name.slice(page.length + 1), title, ...step };
}

/** @param {Kind} kind @param {Record<string, any>} document @returns {import("./cases.mjs").Step | undefined} */
function stepFor(kind, document) {
  const call = (/** @type {string} */ name, /** @type {unknown} */ args) => ({
    request: { call: { function: name, version: "1.0.0", arguments: args } },
  });
  const failing = (/** @type {Record<string, unknown>[]} */ errors) => ({
    ...call("fail.with", { errors }),
    expect: { errors },
  });
  switch (kind) {
    case "request":
      return { document, expect: { understood: true } };
    case "call":
    case "extensions":
      return { request: document, expect: { understood: true } };
    case "arguments":
      return { ...call("echo.arguments", document["arguments"]), expect: { result: document["arguments"] } };
    case "context": {
      const { caller, ...fields } = document["context"];
      const { request } = call("echo.context", {});
      const result = { caller: caller ?? null, fields };
      return { request: { ...request, context: document["context"] }, expect: { result } };
    }
    case "success":
    case "result":
      return { ...call("echo.value", { value: document["result"] }), expect: { result: document["result"] } };
    case "failure":
    case "errors":
      return failing(document["errors"]);
    case "error":
      return failing([document]);
    case "source":
      return failing([{ code: "NOT_FOUND", message: "not here", source: document["source"] }]);
    case "not a message":
      return { ...call("echo.value", { value: document }), expect: { result: document } };
    default:
      return undefined;
  }
}

/** @typedef {{ reason: string, pages?: readonly string[], examples?: readonly string[] }} Excuse */

/** Whether a page or the example itself is listed with a reason. @param {Example} example @param {readonly Excuse[]} excuses */
export function isExcused({ name, page }, excuses) {
  return excuses.some(
    ({ pages = [], examples = [] }) =>
      examples.includes(name) || pages.some((prefix) => page === prefix || page.startsWith(`${prefix}/`)),
  );
}

/**
 * What no case covers and no reason excuses, and names of examples that are not there.
 * @param {readonly Example[]} examples @param {ReadonlySet<string>} named By cases.
 * @param {readonly Excuse[]} excuses
 */
export function compareExamples(examples, named, excuses) {
  const known = new Set(examples.map(({ name }) => name));
  const listed = excuses.flatMap((excuse) => excuse.examples ?? []);
  return {
    missing: examples
      .filter((example) => !named.has(example.name) && !isExcused(example, excuses))
      .map(({ name }) => name),
    unknown: [...named, ...listed].filter((name) => !known.has(name)),
  };
}
