// @ts-check
// Reads the cases and completes them: README.md says what may be left out.
import { readdirSync, readFileSync } from "node:fs";
import { isObject } from "./match.mjs";

/**
 * @typedef {import("./judge.mjs").Expectation & { downstream?: unknown }} StepExpectation
 *
 * @typedef {object} Step
 * @property {Record<string, unknown>} [request] Members that replace those of the smallest request.
 * @property {readonly string[]} [without] Members that are left out.
 * @property {unknown} [document] The whole body, as JSON.
 * @property {string} [text] The whole body, as text.
 * @property {string} [base64] The whole body, as bytes.
 * @property {readonly { text: string, count?: number }[]} [repeat] The whole body: texts, each so many times.
 * @property {string} [method] Default POST.
 * @property {Record<string, string | null>} [headers] Besides the content type; null leaves one out.
 * @property {boolean} [background] The next step does not wait for this one's answer.
 * @property {number} [afterMs] How much later than the step before; default 0.
 * @property {boolean} [patient] Asked again, for two seconds, until the answer is as expected.
 * @property {StepExpectation} expect
 *
 * @typedef {Step & { name: string, title: string, paragraph: string, level?: "must" | "should" | "choice",
 *   examples?: readonly string[], transports?: readonly string[], steps?: readonly Step[] }} Case
 * @typedef {Case & { page: string, key: string }} LoadedCase
 */

const folder = new URL("./", import.meta.url);
const notCases = new Set(["contradictions.json"]);

/** Every case of every file. @returns {LoadedCase[]} */
export function loadCases() {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json") && !notCases.has(name));
  return files.toSorted().flatMap((file) => {
    const { page, cases } = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    return cases.map((/** @type {Case} */ one) => ({
      ...one,
      page,
      key: `${file.slice(0, -5)}/${one.name}`,
    }));
  });
}

/** @param {string} name */
export function readJson(name) {
  return JSON.parse(readFileSync(new URL(name, folder), "utf8"));
}

/**
 * The bytes of a step's body, and the id that the answer is to have.
 * @param {Step} step @param {string} id
 */
export function bodyOf(step, id) {
  if (step.base64 !== undefined) return { body: Buffer.from(step.base64, "base64"), id: null };
  if (step.repeat !== undefined) {
    const texts = step.repeat.map(({ text, count = 1 }) => text.repeat(count));
    return { body: Buffer.from(texts.join("")), id: null };
  }
  if (step.text !== undefined) return { body: Buffer.from(step.text), id: idIn(step.text) };
  const document = step.document ?? completed(step, id);
  const text = JSON.stringify(document);
  return { body: Buffer.from(text), id: idIn(text) };
}

/** @param {Step} step @param {string} id */
function completed({ request = {}, without = [] }, id) {
  /** @type {Record<string, unknown>} */
  const document = {
    protocol: { name: "forrst", version: "0.1.0" },
    id,
    call: { function: "echo.value", version: "1.0.0" },
    context: { caller: "tests" },
    ...request,
  };
  for (const member of without) delete document[member];
  return document;
}

/** @param {string} text @returns {string | null} */
function idIn(text) {
  try {
    const document = JSON.parse(text);
    const id = isObject(document) ? document["id"] : undefined;
    return typeof id === "string" && id !== "" ? id : null;
  } catch {
    return null; // not JSON: no id can be read
  }
}
