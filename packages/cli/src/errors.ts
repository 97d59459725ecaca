import { ClewError, isClewError } from "@clew/errors";

/** A fault of the command line, the configuration, or of what a command found. Codes: docs/reference/errors.md. */
export class CliError extends ClewError {}

/** What a process says to its shell. The wrapped command's own code passes through unchanged. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 64,
  unreachable: 69,
  bug: 70,
  notAllowed: 77,
  interrupted: 130,
} as const;

const codesOfErrors: ReadonlyMap<string, number> = new Map([
  ["E_USAGE", exitCodes.usage],
  ["E_CONFIG_INVALID", exitCodes.usage],
  ["E_CONFIG_MISSING", exitCodes.usage],
  ["E_CONFIG_UNREADABLE", exitCodes.usage],
  ["E_ROUTE_NAME", exitCodes.usage],
  ["E_PREVIEW_NAME", exitCodes.usage],
  ["E_PREVIEW_HEADER", exitCodes.usage],
  ["E_PREVIEW_FIELD", exitCodes.usage],
  ["E_INGRESS_UNKNOWN", exitCodes.usage],
  ["E_PASSWORD", exitCodes.usage],
  ["E_MANAGER_UNREACHABLE", exitCodes.unreachable],
  ["E_SERVICE_UNKNOWN", exitCodes.unreachable],
  ["E_PORT_UNKNOWN", exitCodes.unreachable],
  ["E_REGISTRY_UNREACHABLE", exitCodes.unreachable],
  ["UNAVAILABLE", exitCodes.unreachable],
  ["DEADLINE_EXCEEDED", exitCodes.unreachable],
  ["UNAUTHORIZED", exitCodes.notAllowed],
  ["FORBIDDEN", exitCodes.notAllowed],
  ["E_UNAUTHENTICATED", exitCodes.notAllowed],
  ["E_SESSION_TOKEN", exitCodes.notAllowed],
  ["E_INTERRUPTED", exitCodes.interrupted],
]);

export function exitCodeOf(error: unknown): number {
  if (!isClewError(error)) return exitCodes.bug;
  return codesOfErrors.get(error.code) ?? exitCodes.failed;
}

/** One error as a person reads it: what was wrong, then what to do. A bug also shows where. */
export function describeError(error: unknown): string {
  if (isClewError(error)) {
    const hint = error.hint === undefined ? "" : `\n      ${error.hint.replaceAll("\n", "\n      ")}`;
    return `clew: ${error.message}  [${error.code}]${hint}`;
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `clew: this is a bug in clew, please report it with these lines\n${shown}`;
}

/** The same for programs: one JSON object on one line. */
export function errorAsJson(error: unknown): string {
  if (!isClewError(error)) return JSON.stringify({ error: { code: "E_BUG", message: String(error) } });
  const details = "details" in error ? error.details : undefined;
  const { code, message, hint, retryable } = error;
  return JSON.stringify({ error: { code, message, hint, retryable, details } });
}
