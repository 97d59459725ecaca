import type { JsonObject } from "../envelope/document.ts";
import { defineExtension, type Extension, type FunctionFacts } from "./extension.ts";
import { deprecationUrn } from "./extension-urn.ts";

export interface DeprecationWarning {
  /** Unique, such as `deprecation:users.list:v1`; clients acknowledge by it. */
  readonly urn: string;
  /** Name of the function that warns. */
  readonly function: string;
  /** The one version that warns. Default: every version. */
  readonly version?: string | undefined;
  readonly type: "function" | "version" | "argument" | "field";
  /** What is deprecated, such as `users.list@1.0.0` or `result.deleted`. */
  readonly target: string;
  readonly message: string;
  /** ISO 8601 date of the removal. */
  readonly sunsetDate?: string | undefined;
  readonly replacement?: JsonObject | undefined;
  /** URL of a guide. */
  readonly documentation?: string | undefined;
}

/**
 * Warns whoever asks and did not acknowledge the warning. An extension must be declared in the request, so nobody else
 * is warned. Source: Forrst specification, extensions/deprecation; extensions/index "Extension Principles".
 */
export function createDeprecationExtension(warnings: readonly DeprecationWarning[]): Extension {
  return defineExtension({
    urn: deprecationUrn,
    validate({ acknowledge = [] }) {
      const isList = Array.isArray(acknowledge) && acknowledge.every((urn) => typeof urn === "string");
      return isList ? [] : [{ pointer: "/acknowledge", message: "`acknowledge` must be an array of URNs" }];
    },
    data({ target, options }) {
      const acknowledged = (options["acknowledge"] ?? []) as readonly string[];
      const due = warnings.filter(
        (warning) => concerns(warning, target) && !acknowledged.includes(warning.urn),
      );
      return { warnings: due.map(toWire) };
    },
  });
}

function concerns(warning: DeprecationWarning, { name, version }: FunctionFacts): boolean {
  return warning.function === name && (warning.version === undefined || warning.version === version);
}

function toWire({
  urn,
  type,
  target,
  message,
  sunsetDate,
  replacement,
  documentation,
}: DeprecationWarning): JsonObject {
  return {
    urn,
    type,
    target,
    message,
    ...(sunsetDate === undefined ? undefined : { sunset_date: sunsetDate }),
    ...(replacement === undefined ? undefined : { replacement }),
    ...(documentation === undefined ? undefined : { documentation }),
  };
}
