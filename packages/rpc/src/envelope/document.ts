import type { JsonValue } from "@clew/context";

export type JsonObject = { readonly [name: string]: JsonValue };

export const protocolName = "forrst";
export const protocolVersion = "0.1.0";

/** Where an error lies: a JSON Pointer from the request's root (RFC 6901), or a zero-based byte offset. Never both. */
export type ForrstErrorSource =
  | { readonly pointer: string; readonly position?: undefined }
  | { readonly position: number; readonly pointer?: undefined };

export interface ForrstError {
  readonly code: string;
  readonly message: string;
  readonly source?: ForrstErrorSource | undefined;
  readonly details?: JsonObject | undefined;
}

export interface RequestExtension {
  readonly urn: string;
  readonly options: JsonObject;
  /** The request makes no sense without it: a server that does not know it refuses instead of ignoring it. */
  readonly required?: boolean | undefined;
}

export interface ResponseExtension {
  readonly urn: string;
  readonly data?: JsonObject | undefined;
}

/** A request as it is sent. */
export type OutgoingRequest = Omit<ForrstRequest, "metadata" | "exactContext">;

/** A request that kept to the envelope's rules. */
export interface ForrstRequest {
  readonly id: string;
  readonly function: string;
  /** Undefined: the latest stable one. */
  readonly version: string | undefined;
  readonly arguments: JsonObject;
  readonly context: JsonObject | undefined;
  /** JSON text of those members of `context` that hold an integer which a number cannot hold. */
  readonly exactContext: ReadonlyMap<string, string> | undefined;
  /** What a transport without headers carries instead of them; elsewhere nobody believes it. */
  readonly metadata: JsonObject | undefined;
  readonly extensions: readonly RequestExtension[];
}

export interface ForrstResponse {
  /** Null when the request's id could not be read. */
  readonly id: string | null;
  readonly result: JsonValue;
  readonly errors?: readonly ForrstError[] | undefined;
  readonly extensions?: readonly ResponseExtension[] | undefined;
  readonly meta?: JsonObject | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
