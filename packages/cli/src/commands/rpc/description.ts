import { readFile } from "node:fs/promises";
import { createCaller, type ForrstClient, type JsonObject } from "@clew/rpc";
import { CliError } from "../../errors.ts";
import { withService } from "./service.ts";

/** As much of a description document as is used. Source: Forrst specification, description. */
export interface Description {
  readonly info: { readonly title: string; readonly version: string };
  readonly functions: readonly DescribedFunction[];
}

export interface DescribedFunction {
  readonly name: string;
  readonly version: string;
  readonly summary?: string;
  readonly deprecated?: { readonly reason?: string };
  readonly arguments?: readonly ArgumentObject[];
  readonly result?: { readonly schema?: JsonObject };
  readonly examples?: readonly Example[];
  readonly "x-arguments-schema"?: JsonObject;
  readonly "x-event-schema"?: JsonObject;
  readonly "x-stream"?: boolean;
}

interface ArgumentObject {
  readonly name: string;
  readonly schema?: JsonObject;
  readonly required?: boolean;
}

interface Example {
  readonly name: string;
  readonly arguments: JsonObject;
  readonly result?: unknown;
  readonly errors?: readonly { readonly code: string; readonly message: string }[];
}

const describeName = "urn:cline:forrst:fn:describe";

export async function fetchDescription(client: ForrstClient): Promise<Description> {
  return asDescription(await callSystem(client, describeName, {}), "the service");
}

export function callSystem(client: ForrstClient, name: string, args: object): Promise<unknown> {
  return createCaller<Record<string, { arguments: object; result: unknown }>>(client).call(
    `${name}@1.0.0`,
    args,
  );
}

/** From a file, or from a service. Throws E_USAGE when it is no description. */
export async function loadDescription(source: string): Promise<Description> {
  if (/^[a-z0-9]+:/i.test(source)) return await withService(source, fetchDescription);
  const text = await readFile(source, "utf8").catch((cause: Error) => {
    throw new CliError("E_USAGE", `cannot read ${source}: ${cause.message}`, { cause });
  });
  try {
    return asDescription(JSON.parse(text), source);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CliError("E_USAGE", `${source} is not JSON: ${cause.message}`, { cause });
  }
}

function asDescription(value: unknown, source: string): Description {
  const { info, functions } = (value ?? {}) as Partial<Description>;
  if (typeof info?.title !== "string" || !Array.isArray(functions)) {
    throw new CliError("E_USAGE", `${source} gave no description document`, {
      hint: "Such as clew rpc describe URL --json writes.",
    });
  }
  return value as Description;
}

/** The arguments' schema as a whole, or put together from the list of arguments. */
export function argumentsSchema(described: DescribedFunction): JsonObject {
  const whole = described["x-arguments-schema"];
  if (whole !== undefined) return whole;
  const list = described.arguments ?? [];
  const required = list.filter((argument) => argument.required === true).map(({ name }) => name);
  const properties = Object.fromEntries(list.map(({ name, schema = {} }) => [name, schema]));
  return { type: "object", properties, required };
}

export function resultSchema(described: DescribedFunction): JsonObject {
  return described["x-event-schema"] ?? described.result?.schema ?? {};
}
