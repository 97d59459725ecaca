import type { JsonValue } from "@clew/context";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ForrstError } from "./envelope/document.ts";
import { type Soon, whenReady } from "./when-ready.ts";

export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly [Issue, ...Issue[]] };

export interface Issue {
  /** JSON Pointer from the validated value's root (RFC 6901); empty for the root itself. */
  readonly pointer: string;
  readonly message: string;
}

/** At once, unless the schema itself takes its time. */
export function validate<T>(schema: StandardSchemaV1<unknown, T>, value: JsonValue): Soon<Validation<T>> {
  return whenReady(schema["~standard"].validate(value), toValidation);
}

function toValidation<T>(result: StandardSchemaV1.Result<T>): Validation<T> {
  if (result.issues === undefined) return { ok: true, value: result.value };
  const [first, ...others] = result.issues.map(
    (issue): Issue => ({ pointer: toPointer(issue.path ?? []), message: issue.message }),
  );
  return { ok: false, issues: [first ?? { pointer: "", message: "refused without a reason" }, ...others] };
}

/**
 * One `INVALID_ARGUMENTS` per violation. The specification has `SCHEMA_VALIDATION_FAILED` (422) as well and does not
 * tell them apart; each of its worked examples, down to a missing member, uses `INVALID_ARGUMENTS`, whose 400 is
 * also the status of every answer with several errors, so the status does not depend on how many there are.
 */
export function argumentErrors(
  issues: readonly [Issue, ...Issue[]],
  maxErrors: number,
): [ForrstError, ...ForrstError[]] {
  const [first, ...others] = issues;
  return [argumentError(first), ...others.slice(0, maxErrors - 1).map(argumentError)];
}

function argumentError(issue: Issue): ForrstError {
  return {
    code: "INVALID_ARGUMENTS",
    message: issue.message,
    source: { pointer: `/call/arguments${issue.pointer}` },
  };
}

function toPointer(path: NonNullable<StandardSchemaV1.Issue["path"]>): string {
  let pointer = "";
  for (const segment of path) {
    const key = typeof segment === "object" ? segment.key : segment;
    pointer += `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }
  return pointer;
}
