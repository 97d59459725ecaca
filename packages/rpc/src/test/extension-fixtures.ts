import assert from "node:assert/strict";
import type { JsonObject, RequestExtension, ResponseExtension } from "../envelope/document.ts";

interface Document {
  readonly id: string | null;
  readonly result: unknown;
  readonly errors?: readonly {
    readonly code: string;
    readonly message: string;
    readonly source?: { readonly pointer: string };
    readonly details?: JsonObject;
  }[];
  readonly extensions?: readonly ResponseExtension[];
}

export interface Posted extends Document {
  readonly status: number;
  /** Codes with their places, in order. */
  readonly codes: readonly string[];
  /** What the answer says of an extension. */
  data(urn: string): JsonObject | undefined;
}

export interface PostOptions {
  readonly id?: string;
  readonly args?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Calls a function as any other implementation might. */
export async function post(
  url: string,
  name: string,
  extensions: readonly RequestExtension[],
  { id = "a", args = {}, headers }: PostOptions = {},
): Promise<Posted> {
  const protocol = { name: "forrst", version: "0.1.0" };
  const call = { function: name, version: "1.0.0", arguments: args };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ protocol, id, call, extensions }),
  });
  const document = (await response.json()) as Document;
  // Null: refused before it was read.
  assert.equal(document.id ?? id, id);
  return {
    ...document,
    status: response.status,
    codes: (document.errors ?? []).map(({ code, source }) => (source ? `${code} ${source.pointer}` : code)),
    data: (urn) => document.extensions?.find((extension) => extension.urn === urn)?.data,
  };
}

export const urnOf = (name: string): string => `urn:forrst:ext:${name}`;
