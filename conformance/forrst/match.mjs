// @ts-check
// Compares what came with what a case expects, and says where they differ.

const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/** @type {Record<string, (value: unknown) => boolean>} */
const kinds = {
  $any: (value) => value !== undefined,
  $absent: (value) => value === undefined,
  $string: (value) => typeof value === "string" && value !== "",
  $integer: Number.isInteger,
  $number: (value) => typeof value === "number",
  $boolean: (value) => typeof value === "boolean",
  $object: (value) => isObject(value),
  $array: Array.isArray,
  $timestamp: (value) => typeof value === "string" && timestamp.test(value),
};

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Where `value` is not as `pattern` says. Objects may have more members than the pattern names, arrays not more items.
 * Besides plain JSON a pattern may hold `"$string"` and the like, `{ "$oneOf": […] }`, `{ "$not": … }`, `{ "$pattern":
 * "regular expression" }` and `{ "$includes": […] }` for an array that holds at least these.
 * @param {unknown} value @param {unknown} pattern @param {string} [at]
 * @returns {string[]}
 */
export function differences(value, pattern, at = "") {
  if (typeof pattern === "string" && Object.hasOwn(kinds, pattern)) {
    return kinds[pattern]?.(value) ? [] : [wrong(at, value, pattern)];
  }
  if (isObject(pattern)) {
    const operator = Object.keys(pattern).find((name) => name.startsWith("$"));
    if (operator !== undefined) return operatorDifferences(value, operator, pattern[operator], at);
    if (!isObject(value)) return [wrong(at, value, pattern)];
    return Object.entries(pattern).flatMap(([name, inner]) =>
      differences(Object.hasOwn(value, name) ? value[name] : undefined, inner, `${at}/${name}`),
    );
  }
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) return [wrong(at, value, pattern)];
    return pattern.flatMap((inner, index) => differences(value[index], inner, `${at}/${index}`));
  }
  return Object.is(value, pattern) ? [] : [wrong(at, value, pattern)];
}

/** @param {unknown} value @param {string} operator @param {unknown} operand @param {string} at */
function operatorDifferences(value, operator, operand, at) {
  const list = Array.isArray(operand) ? operand : [];
  const fits = (/** @type {unknown} */ inner) => differences(value, inner).length === 0;
  const holds =
    operator === "$oneOf"
      ? list.some(fits)
      : operator === "$not"
        ? !fits(operand)
        : operator === "$pattern"
          ? typeof value === "string" && new RegExp(String(operand)).test(value)
          : operator === "$includes" &&
            Array.isArray(value) &&
            list.every((inner) => value.some((item) => differences(item, inner).length === 0));
  return holds ? [] : [wrong(at, value, { [operator]: operand })];
}

/** @param {string} at @param {unknown} value @param {unknown} pattern */
function wrong(at, value, pattern) {
  const shown = JSON.stringify(value) ?? "nothing";
  return `${at || "the value"} is ${shown.slice(0, 200)}, expected ${JSON.stringify(pattern)}`;
}

/** Equal, down to the last member. @param {unknown} a @param {unknown} b @returns {boolean} */
export function isSame(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (isObject(a) && isObject(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
    );
  }
  return Object.is(a, b);
}
