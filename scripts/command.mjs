// @ts-check
// What the commands under bench/ and conformance/ have in common: flags, and one last line for machines.
import { parseArgs } from "node:util";

/** Wrong usage. Source: sysexits.h */
const usageError = 64;

/** @typedef {NonNullable<import("node:util").ParseArgsConfig["options"]>} FlagOptions */

/**
 * The flags of a command; `--quick` and `--json` are everybody's. Ends the process with 64 where they are wrong.
 * @template {FlagOptions} T
 * @param {string} name
 * @param {T} options
 */
export function parseFlags(name, options) {
  const quick = { type: /** @type {const} */ ("boolean"), default: false };
  try {
    return parseArgs({ options: { ...options, quick, json: quick } }).values;
  } catch (error) {
    return refuse(name, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Says what is wrong with the flags, and ends the process.
 * @param {string} name @param {string} message
 * @returns {never}
 */
export function refuse(name, message) {
  process.stderr.write(`${name}: ${message}\n`);
  process.exit(usageError);
}

/**
 * A whole number between two bounds, or the end of the process.
 * @param {string} name @param {string} flag @param {unknown} value @param {{ min: number, max: number }} bounds
 * @returns {number}
 */
export function wholeNumber(name, flag, value, { min, max }) {
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  return refuse(name, `--${flag} is a whole number from ${min} to ${max}, not ${value}`);
}

/**
 * Lines for people; none with `--json`.
 * @param {boolean} json
 * @returns {(line: string) => void}
 */
export function lineWriter(json) {
  return (line) => {
    if (!json) process.stdout.write(`${line}\n`);
  };
}

/**
 * The last line, and the exit code that goes with it.
 * @param {{ passed: boolean } & Record<string, unknown>} result
 */
export function finish(result) {
  process.stdout.write(`result ${JSON.stringify(result)}\n`);
  process.exitCode = result.passed ? 0 : 1;
}

/**
 * Columns of equal width; the first row is the head.
 * @param {readonly (readonly (string | number)[])[]} rows
 * @returns {string}
 */
export function table(rows) {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? "").length)),
  );
  const line = (/** @type {readonly (string | number)[]} */ row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? String(cell).padEnd(width) : String(cell).padStart(width);
      })
      .join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}
