import type { JsonValue } from "@clew/context";
import { type ForrstError, isJsonObject, type JsonObject, type ResponseExtension } from "./document.ts";

type Outcome =
  | { readonly ok: true; readonly result: JsonValue }
  | { readonly ok: false; readonly errors: readonly [ForrstError, ...ForrstError[]] };

export interface ReadResponse {
  readonly id: string | null;
  readonly outcome: Outcome;
  readonly extensions: readonly ResponseExtension[];
}

/**
 * Reads a server's answer: undefined when it is not one of the protocol. Lenient towards the pages that
 * disagree: `error` (one) is taken as well as `errors`; what is no extension is left out.
 */
export function readResponse(document: unknown): ReadResponse | undefined {
  if (!isJsonObject(document) || document["protocol"] === undefined) return undefined;
  const id = document["id"];
  if (id !== null && typeof id !== "string") return undefined;
  const extensions = readExtensions(document["extensions"]);
  const errors = readErrors(
    document["errors"] ?? (document["error"] === undefined ? undefined : [document["error"]]),
  );
  if (errors !== undefined) return { id, outcome: { ok: false, errors }, extensions };
  const result = document["result"];
  return result === undefined ? undefined : { id, outcome: { ok: true, result }, extensions };
}

function readExtensions(value: unknown): readonly ResponseExtension[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry): ResponseExtension[] => {
    if (!isJsonObject(entry) || typeof entry["urn"] !== "string") return [];
    const { urn, data } = entry;
    return [isJsonObject(data) ? { urn, data } : { urn }];
  });
}

function readErrors(value: unknown): readonly [ForrstError, ...ForrstError[]] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [first, ...others] = value.map(readError).filter((error) => error !== undefined);
  return first === undefined ? undefined : [first, ...others];
}

/** Undefined when it is not an error object; members of a wrong type are left out. */
export function readError(value: unknown): ForrstError | undefined {
  if (!isJsonObject(value) || typeof value["code"] !== "string") return undefined;
  const { code, message, details } = value as JsonObject & { code: string };
  const source = readSource(value["source"]);
  return {
    code,
    message: typeof message === "string" ? message : code,
    ...(source === undefined ? undefined : { source }),
    ...(isJsonObject(details) ? { details } : undefined),
  };
}

function readSource(value: unknown): ForrstError["source"] {
  if (!isJsonObject(value)) return undefined;
  const { pointer, position } = value;
  if (typeof pointer === "string") return { pointer };
  return typeof position === "number" ? { position } : undefined;
}
