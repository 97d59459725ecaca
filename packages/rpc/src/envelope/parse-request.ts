import {
  type ForrstError,
  type ForrstRequest,
  isJsonObject,
  type JsonObject,
  protocolName,
  protocolVersion,
  type RequestExtension,
} from "./document.ts";
import { holdsMarked, type LargeIntegers, resolveMarked, stringifyMarked } from "./large-integers.ts";
import type { EnvelopeLimits } from "./limits.ts";
import { readMetadata } from "./metadata.ts";
import { parseJson } from "./parse-json.ts";
import { isVersion } from "./semver.ts";

export type RequestResult =
  | { readonly ok: true; readonly request: ForrstRequest }
  /** `id` is null when the request's own could not be read. */
  | {
      readonly ok: false;
      readonly id: string | null;
      readonly errors: readonly [ForrstError, ...ForrstError[]];
    };

/**
 * Reads a request strictly: every violation is reported, each with its place; members that the specification does not
 * know are ignored. Never throws. Source: Forrst specification, protocol and document-structure.
 */
export function parseRequest(
  body: Buffer | string,
  limits: EnvelopeLimits,
  largeIntegers: LargeIntegers = "refuse",
): RequestResult {
  const json = parseJson(body, limits.maxDepth);
  if (!json.ok) {
    const code = json.kind === "syntax" ? "PARSE_ERROR" : "INVALID_REQUEST";
    return refused(null, [{ code, message: sentence(json.message), source: { position: json.position } }]);
  }
  if (!isJsonObject(json.value)) {
    return refused(null, [violation("", "A request must be a single JSON object")]);
  }
  const document = json.value;
  const errors: ForrstError[] = [];
  checkProtocol(document["protocol"], errors);
  const id = readId(document["id"], errors);
  const call = readCall(document["call"], errors);
  const context = readContext(document, errors);
  const extensions = readExtensions(document, errors, limits.maxErrors);
  if (errors.length > 0) return refused(id ?? null, errors.slice(0, limits.maxErrors));
  const request: ForrstRequest = {
    id: id as string,
    function: call.function,
    version: call.version,
    arguments: call.arguments,
    context,
    exactContext: undefined,
    metadata: readMetadata(document),
    extensions,
  };
  if (!isJsonObject(json.marked)) return { ok: true, request };
  const exact = readExact(json.marked, largeIntegers, errors);
  if (errors.length > 0) return refused(request.id, errors.slice(0, limits.maxErrors));
  return { ok: true, request: { ...request, ...exact } };
}

/** Of a document whose envelope is known to be right. */
function readExact(
  document: JsonObject,
  mode: LargeIntegers,
  errors: ForrstError[],
): Pick<ForrstRequest, "arguments" | "exactContext"> {
  const given = (document["call"] as JsonObject)["arguments"] ?? {};
  const args = resolveMarked(given, mode, (pointer) => {
    errors.push({
      code: "INVALID_ARGUMENTS",
      message: "An integer is larger than numbers can hold exactly",
      source: { pointer: `/call/arguments${pointer}` },
      details: { hint: "Send it as a string." },
    });
  });
  const fields = Object.entries((document["context"] ?? {}) as JsonObject).filter(([, value]) =>
    holdsMarked(value),
  );
  const exactContext = new Map(fields.map(([name, value]) => [name, stringifyMarked(value)]));
  return { arguments: args as JsonObject, exactContext: exactContext.size === 0 ? undefined : exactContext };
}

/** There is at least one error. */
function refused(id: string | null, errors: readonly ForrstError[]): RequestResult {
  return { ok: false, id, errors: errors as readonly [ForrstError, ...ForrstError[]] };
}

function violation(pointer: string, message: string): ForrstError {
  return { code: "INVALID_REQUEST", message, source: { pointer } };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `{ "name": "forrst", "version": "0.1.0" }`, or the older pages' `"forrst/0.1"`. Any version of the same major is served. */
function checkProtocol(value: unknown, errors: ForrstError[]): void {
  if (value === undefined) {
    errors.push(violation("/protocol", "`protocol` is missing"));
  } else if (typeof value === "string") {
    const match = /^forrst\/(\d{1,9}(?:\.\d{1,9}){1,2})$/.exec(value);
    if (match === null) {
      errors.push(violation("/protocol", 'A `protocol` given as a string must be "forrst/<major>.<minor>"'));
    } else {
      checkMajor(match[1] as string, "/protocol", errors);
    }
  } else if (!isJsonObject(value)) {
    errors.push(violation("/protocol", "`protocol` must be an object with `name` and `version`"));
  } else {
    if (value["name"] !== protocolName) {
      errors.push(violation("/protocol/name", `\`protocol.name\` must be "${protocolName}"`));
    }
    const version = value["version"];
    if (version === protocolVersion) return;
    if (typeof version !== "string" || !isVersion(version)) {
      errors.push(violation("/protocol/version", "`protocol.version` must be a semantic version"));
    } else {
      checkMajor(version, "/protocol/version", errors);
    }
  }
}

function checkMajor(version: string, pointer: string, errors: ForrstError[]): void {
  if (Number.parseInt(version, 10) === Number.parseInt(protocolVersion, 10)) return;
  errors.push({
    code: "INVALID_PROTOCOL_VERSION",
    message: `Unsupported protocol version: ${version}`,
    source: { pointer },
    details: { requested: version, supported: [protocolVersion] },
  });
}

function readId(value: unknown, errors: ForrstError[]): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  errors.push(
    violation("/id", value === undefined ? "`id` is missing" : "`id` must be a string that is not empty"),
  );
  return undefined;
}

type Call = Pick<ForrstRequest, "function" | "version" | "arguments">;

function readCall(value: unknown, errors: ForrstError[]): Call {
  const call: { -readonly [Member in keyof Call]: Call[Member] } = {
    function: "",
    version: undefined,
    arguments: {},
  };
  if (!isJsonObject(value)) {
    errors.push(violation("/call", value === undefined ? "`call` is missing" : "`call` must be an object"));
    return call;
  }
  const name = value["function"];
  if (typeof name === "string" && isFunctionName(name)) call.function = name;
  else errors.push(violation("/call/function", "`call.function` must be `<service>.<action>` or a URN"));
  const version = value["version"];
  if (typeof version === "string" && isVersion(version)) call.version = version;
  else if (version !== undefined)
    errors.push(violation("/call/version", "`call.version` must be a semantic version"));
  const args = value["arguments"];
  if (isJsonObject(args)) call.arguments = args;
  else if (args !== undefined)
    errors.push(violation("/call/arguments", "`call.arguments` must be an object"));
  return call;
}

function readContext(document: JsonObject, errors: ForrstError[]): JsonObject | undefined {
  const context = document["context"];
  if (context === undefined) return undefined;
  if (!isJsonObject(context)) {
    errors.push(violation("/context", "`context` must be an object"));
    return undefined;
  }
  const caller = Object.hasOwn(context, "caller") ? context["caller"] : undefined;
  if (caller !== undefined && typeof caller !== "string") {
    errors.push(violation("/context/caller", "`context.caller` must be a string"));
  }
  return context;
}

function readExtensions(document: JsonObject, errors: ForrstError[], maxErrors: number): RequestExtension[] {
  const list = document["extensions"];
  if (list === undefined) return [];
  if (!Array.isArray(list)) {
    errors.push(violation("/extensions", "`extensions` must be an array"));
    return [];
  }
  let extensions: RequestExtension[] = [];
  for (let i = 0; i < list.length && errors.length < maxErrors; i++) {
    const entry: unknown = list[i];
    if (!isJsonObject(entry)) {
      errors.push(violation(`/extensions/${i}`, "An extension must be an object"));
      continue;
    }
    const { urn, options = {} } = entry;
    if (typeof urn !== "string" || !isUrn(urn)) {
      errors.push(violation(`/extensions/${i}/urn`, "An extension's `urn` must be a URN"));
    } else if (!isJsonObject(options)) {
      errors.push(violation(`/extensions/${i}/options`, "An extension's `options` must be an object"));
    } else {
      const one = { urn, options, required: entry["required"] === true };
      if (extensions.length === 0) extensions = [one];
      else extensions.push(one);
    }
  }
  return extensions;
}

/** Names longer than this are refused, so that no text makes the patterns work hard. */
const maxNameLength = 256;

/** `<service>.<action>`, more segments allowed, or a URN. Source: Forrst specification, protocol and urn-naming. */
export function isFunctionName(name: string): boolean {
  return name.length <= maxNameLength && (/^[A-Za-z][\w-]*(?:\.[\w-]+)+$/.test(name) || isUrn(name));
}

/** Source: RFC 8141 §2, without its optional components. */
function isUrn(text: string): boolean {
  return (
    text.length <= maxNameLength &&
    /^urn:[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]:[A-Za-z0-9\-._~!$&'()*+,;=:@/%]+$/i.test(text)
  );
}
