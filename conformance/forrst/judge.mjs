// @ts-check
// The rules that every answer keeps, whatever was asked, and then what the case itself expects.
import { differences, isObject, isSame } from "./match.mjs";

/**
 * @typedef {object} Expectation
 * @property {unknown} [result] The very same value.
 * @property {unknown} [resultLike] A pattern, see match.mjs.
 * @property {readonly Record<string, unknown>[]} [errors] Patterns, in any order; as many as there are errors.
 * @property {readonly Record<string, unknown>[]} [someErrors] The same, where there may be more.
 * @property {unknown} [extensions] Pattern of the answer's `extensions`.
 * @property {unknown} [meta]
 * @property {readonly { event: string, data: unknown }[]} [events] Of a stream; data are patterns.
 * @property {number | readonly number[]} [status] Default: as the code's row in the table of error codes says.
 * @property {string | null} [id] Default: the request's.
 * @property {Record<string, unknown>} [headers] Patterns.
 * @property {boolean} [anyOutcome] A result or errors, whichever.
 * @property {boolean} [understood] Whatever is answered, the envelope must not be what was wrong.
 * @property {string} [bodyContains]
 * @property {string} [bodyLacks]
 *
 * @typedef {import("./transports.mjs").Answer} Answer
 */

/** Source: errors.md "Standard Error Codes"; 504 besides 408, since extensions/deadline.md differs. */
const statusOf = /** @type {Record<string, readonly number[]>} */ ({
  PARSE_ERROR: [400],
  INVALID_REQUEST: [400],
  INVALID_PROTOCOL_VERSION: [400],
  FUNCTION_NOT_FOUND: [404],
  VERSION_NOT_FOUND: [404],
  FUNCTION_DISABLED: [503],
  INVALID_ARGUMENTS: [400],
  SCHEMA_VALIDATION_FAILED: [422],
  EXTENSION_NOT_SUPPORTED: [400],
  EXTENSION_NOT_APPLICABLE: [400],
  UNAUTHORIZED: [401],
  FORBIDDEN: [403],
  NOT_FOUND: [404],
  CONFLICT: [409],
  GONE: [410],
  DEADLINE_EXCEEDED: [408, 504],
  RATE_LIMITED: [429],
  INTERNAL_ERROR: [500],
  UNAVAILABLE: [503],
  DEPENDENCY_ERROR: [502],
  IDEMPOTENCY_CONFLICT: [409],
  IDEMPOTENCY_PROCESSING: [409],
  ASYNC_OPERATION_NOT_FOUND: [404],
  ASYNC_OPERATION_FAILED: [500],
  ASYNC_CANNOT_CANCEL: [400],
  BATCH_FAILED: [400],
  BATCH_TOO_LARGE: [400],
  BATCH_TIMEOUT: [504],
  SERVER_MAINTENANCE: [503],
  FUNCTION_MAINTENANCE: [503],
  REPLAY_NOT_FOUND: [404],
  REPLAY_EXPIRED: [410],
  REPLAY_ALREADY_COMPLETE: [409],
  REPLAY_CANCELLED: [410],
});

/** What is wrong when a request itself was not understood. */
const envelopeCodes = new Set(["PARSE_ERROR", "INVALID_REQUEST", "INVALID_PROTOCOL_VERSION"]);

/**
 * Everything that is wrong with an answer.
 * @param {Answer} answer @param {Expectation} expected @param {string | null | undefined} id The
 * request's, null when it had none, undefined when nobody knows.
 * @returns {string[]}
 */
export function judge(answer, expected, id) {
  const text = answer.body.toString("utf8");
  const faults = [];
  for (const [name, pattern] of Object.entries(expected.headers ?? {})) {
    if (answer.status !== undefined)
      faults.push(...differences(answer.headers[name], pattern, `header ${name}`));
  }
  if (expected.bodyContains !== undefined && !text.includes(expected.bodyContains))
    faults.push(`the body lacks ${expected.bodyContains}: ${text.slice(0, 300)}`);
  if (expected.bodyLacks !== undefined && text.includes(expected.bodyLacks))
    faults.push(`the body holds ${expected.bodyLacks}`);
  if (expected.events !== undefined) return [...faults, ...judgeEvents(answer, text, expected.events, id)];
  const document = parse(text);
  if (!isObject(document)) return [...faults, `the body is not a JSON object: ${text.slice(0, 200)}`];
  if (answer.status !== undefined) {
    faults.push(
      ...differences(
        answer.headers["content-type"],
        { $pattern: "^application/json" },
        "header content-type",
      ),
    );
  }
  faults.push(...documentFaults(document, expected.id === undefined ? id : expected.id));
  faults.push(...statusFaults(answer.status, document, expected));
  faults.push(...expectationFaults(document, expected));
  return faults;
}

/** @param {Record<string, unknown>} document @param {string | null | undefined} id */
function documentFaults(document, id) {
  const faults = [];
  const protocols = [
    { name: "forrst", version: { $pattern: "^\\d+\\.\\d+\\.\\d+" } },
    { $pattern: "^forrst/\\d+\\.\\d+" },
  ];
  faults.push(...differences(document["protocol"], { $oneOf: protocols }, "/protocol"));
  const idPattern = id === undefined ? { $oneOf: [null, "$string"] } : id;
  faults.push(...differences(document["id"] ?? null, idPattern, "/id"));
  const { errors } = document;
  if (errors === undefined) {
    if (!Object.hasOwn(document, "result")) faults.push("neither result nor errors");
    return faults;
  }
  if (!Array.isArray(errors) || errors.length === 0)
    return [...faults, "errors is not an array with something in it"];
  if ((document["result"] ?? null) !== null) faults.push("there are errors, and result is not null");
  for (const [index, error] of errors.entries()) faults.push(...errorFaults(error, `/errors/${index}`));
  return faults;
}

/** @param {unknown} error @param {string} at */
function errorFaults(error, at) {
  const optional = (/** @type {string} */ kind) => ({ $oneOf: ["$absent", kind] });
  const shape = {
    code: { $pattern: "^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$" },
    message: "$string",
    source: optional("$object"),
    details: optional("$object"),
  };
  const faults = differences(error, shape, at);
  const source = isObject(error) && isObject(error["source"]) ? error["source"] : undefined;
  if (source !== undefined) {
    if (Object.hasOwn(source, "pointer") === Object.hasOwn(source, "position"))
      faults.push(`${at}/source must have either pointer or position`);
    faults.push(
      ...differences(
        source["pointer"],
        { $oneOf: ["$absent", { $pattern: "^(?:/(?:[^~/]|~[01])*)*$" }] },
        `${at}/source/pointer`,
      ),
      ...differences(source["position"], optional("$integer"), `${at}/source/position`),
    );
  }
  return faults;
}

/** @param {number | undefined} status @param {Record<string, unknown>} document @param {Expectation} expected */
function statusFaults(status, document, expected) {
  if (status === undefined) return [];
  const allowed = expected.status === undefined ? statusesOf(document["errors"]) : [expected.status].flat();
  if (allowed === undefined || allowed.includes(status)) return [];
  return [`status is ${status}, expected ${allowed.join(" or ")}`];
}

/** @param {unknown} errors @returns {readonly number[] | undefined} */
function statusesOf(errors) {
  if (!Array.isArray(errors)) return [200];
  if (errors.length > 1) return [400];
  return statusOf[String(errors[0]?.code)];
}

/** @param {Record<string, unknown>} document @param {Expectation} expected */
function expectationFaults(document, expected) {
  const faults = [];
  const errors = Array.isArray(document["errors"]) ? document["errors"] : [];
  const patterns = expected.errors ?? expected.someErrors;
  if (expected.anyOutcome === true) return [];
  if (expected.understood === true) {
    const envelope = errors.filter(({ code }) => envelopeCodes.has(code));
    if (envelope.length > 0) faults.push(`not understood: ${JSON.stringify(envelope).slice(0, 300)}`);
  } else if (patterns === undefined) {
    if (errors.length > 0) faults.push(`refused: ${JSON.stringify(errors).slice(0, 300)}`);
  } else {
    if (expected.errors !== undefined && errors.length !== patterns.length)
      faults.push(
        `${errors.length} errors, expected ${patterns.length}: ${JSON.stringify(errors).slice(0, 300)}`,
      );
    faults.push(...differences(errors, { $includes: patterns }, "/errors"));
  }
  if (Object.hasOwn(expected, "result") && !isSame(document["result"], expected.result))
    faults.push(
      `/result is ${JSON.stringify(document["result"])?.slice(0, 300)}, expected ${JSON.stringify(expected.result)}`,
    );
  if (expected.resultLike !== undefined)
    faults.push(...differences(document["result"], expected.resultLike, "/result"));
  if (expected.extensions !== undefined)
    faults.push(...differences(document["extensions"], expected.extensions, "/extensions"));
  if (expected.meta !== undefined) faults.push(...differences(document["meta"], expected.meta, "/meta"));
  return faults;
}

/**
 * @param {Answer} answer @param {string} text @param {readonly { event: string, data: unknown }[]} patterns
 * @param {string | null | undefined} id
 */
function judgeEvents(answer, text, patterns, id) {
  const faults = differences(
    answer.headers["content-type"],
    { $pattern: "^text/event-stream" },
    "header content-type",
  );
  if (answer.status !== 200) faults.push(`status is ${answer.status}, expected 200`);
  const events = readEvents(text);
  const filled = patterns.map(({ event, data }) => ({
    event,
    data: event === "complete" ? { id, ...(isObject(data) ? data : {}) } : data,
  }));
  return [...faults, ...differences(events, filled, "the events")];
}

/** @param {string} text */
function readEvents(text) {
  return text
    .split("\n\n")
    .map((block) => block.split("\n").filter((line) => !line.startsWith(":")))
    .filter((lines) => lines.some((line) => line !== ""))
    .map((lines) => {
      const field = (/** @type {string} */ name) =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
      return { event: field("event").join(""), data: parse(field("data").join("\n")) };
    });
}

/** @param {string} text */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what is not JSON is no document: the caller says so
  }
}
