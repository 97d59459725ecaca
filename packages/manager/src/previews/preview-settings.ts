import { randomBytes } from "node:crypto";
import { ContextError, emptyContext, isLoopbackHost, type JsonValue } from "@clew/context";
import {
  hashLinkToken,
  hashPassword,
  type PreviewAccess,
  type PreviewAccessRequest,
  type PreviewRequest,
  saltBytes,
} from "@clew/control";
import { hostOf } from "../authority.ts";
import type { Core } from "../core.ts";
import { ManagerError } from "../manager-error.ts";
import type { GatewayRecord, PreviewRecord } from "../records.ts";

/** What a preview's maker may set, checked. */
type PreviewSettings = Pick<PreviewRecord, "banner" | "ingress" | "fields" | "headers">;

/** A link's token: as many random bits as SHA-256 has. */
const linkTokenBytes = 32;

/** Set by HTTP, the gateway or the context itself; a preview that set them would break its own requests. */
const refusedHeaders: ReadonlySet<string> = new Set(
  "host connection keep-alive proxy-connection transfer-encoding te trailer upgrade content-length expect cookie baggage traceparent tracestate forwarded".split(
    " ",
  ),
);
const refusedPrefixes: readonly string[] = ["clew-", "x-forrst-", "x-forwarded-", "sec-", "proxy-"];

/**
 * What is left out stays as it was before. Throws `E_PREVIEW_HEADER`, `E_PREVIEW_FIELD`, `E_INGRESS_UNKNOWN`, `E_LIMIT`.
 */
export function checkSettings(
  core: Core,
  request: PreviewRequest,
  before: PreviewRecord | undefined,
): PreviewSettings {
  const { ingress = before?.ingress, fields = before?.fields, banner = before?.banner ?? true } = request;
  if (ingress !== undefined) assertIngress(core.directory.view.gateway, ingress);
  if (fields !== undefined) assertFields(core, fields);
  const headers = request.headers ? checkHeaders(core, request.headers) : before?.headers;
  return { banner, ingress, fields, headers };
}

/** The access that is asked for, else the one there was, else by where the gateway can be reached. */
export async function makeAccess(
  { directory }: Core,
  request: PreviewAccessRequest | undefined,
  before: PreviewAccess | undefined,
): Promise<{ readonly access: PreviewAccess; readonly linkToken?: string }> {
  const { kind } = request ?? before ?? { kind: defaultAccess(directory.view.gateway) };
  if (kind === "public") return { access: { kind } };
  if (kind === "link") {
    // Made anew each time, since nobody knows the one before any more: whoever makes a preview gets a link that works.
    const linkToken = randomBytes(linkTokenBytes).toString("base64url");
    return { access: { kind, tokenHash: hashLinkToken(linkToken) }, linkToken };
  }
  if (request?.kind !== "password") {
    if (before) return { access: before };
    throw new Error("A password is never a default.");
  }
  const salt = randomBytes(saltBytes).toString("base64url");
  return { access: { kind: "password", salt, hash: await hashPassword(request.password, salt) } };
}

/** On one's own machine alone is everybody who could open the page the same person. */
function defaultAccess(gateway: GatewayRecord | undefined): "public" | "link" {
  if (!gateway) return "link";
  const hosts = [gateway.url, gateway.previewUrl.replace("{slug}", "preview")].map((url) =>
    URL.canParse(url) ? hostOf(new URL(url).host) : "",
  );
  return hosts.every(isLoopbackHost) ? "public" : "link";
}

function assertIngress(gateway: GatewayRecord | undefined, ingress: string): void {
  const known = gateway?.ingresses;
  if (known === undefined || known.includes(ingress)) return;
  const message = `The gateway has no ingress "${ingress}".`;
  throw new ManagerError("E_INGRESS_UNKNOWN", message, {
    hint:
      known.length === 0
        ? "It has none but its own: leave the ingress out, or name one under gateway.ingresses in clew.yaml."
        : `It has: ${known.join(", ")}.`,
    details: { ingress, known: [...known] },
  });
}

function assertFields({ limits }: Core, fields: Readonly<Record<string, JsonValue>>): void {
  const own = Object.keys(fields).find((name) => name.startsWith("clew-"));
  if (own !== undefined) {
    throw new ManagerError("E_PREVIEW_FIELD", `"${own}" is a field of Clew's own; a preview sets it itself.`);
  }
  let { length } = "";
  try {
    ({ length } = emptyContext.with(fields).baggage);
  } catch (error) {
    if (!(error instanceof ContextError)) throw error;
    throw new ManagerError("E_PREVIEW_FIELD", error.message, { hint: error.hint, cause: error });
  }
  assertBytes("The preview's fields", length, limits.maxPreviewBytes);
}

/** With names in lower case. */
function checkHeaders(
  { limits }: Core,
  headers: NonNullable<PreviewRequest["headers"]>,
): PreviewSettings["headers"] {
  if (headers.length === 0) return undefined;
  const max = limits.maxPreviewHeaders;
  if (headers.length > max) {
    throw new ManagerError("E_LIMIT", `A preview sets at most ${max} headers (maxPreviewHeaders).`, {
      hint: "Set what never changes where the ingress is configured.",
      details: { limit: "maxPreviewHeaders", max },
    });
  }
  const checked = headers.map(([name, value]) => [checkName(name), checkValue(name, value)] as const);
  const length = checked.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  assertBytes("The preview's headers", length, limits.maxPreviewBytes);
  return checked;
}

function checkName(text: string): string {
  const name = text.toLowerCase();
  // RFC 9110 §5.6.2: a token.
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) {
    throw new ManagerError("E_PREVIEW_HEADER", `"${text.slice(0, 100)}" is not the name of a header.`);
  }
  if (!refusedHeaders.has(name) && !refusedPrefixes.some((prefix) => name.startsWith(prefix))) return name;
  throw new ManagerError("E_PREVIEW_HEADER", `A preview cannot set the header ${name}.`, {
    hint: "It belongs to HTTP, to the gateway or to the context. For a context field: --field name=value.",
  });
}

function checkValue(name: string, value: string): string {
  // RFC 9110 §5.5 without obs-text: visible characters, with blanks between them.
  if (/^[\x20-\x7e\t]*$/.test(value)) return value.trim();
  throw new ManagerError(
    "E_PREVIEW_HEADER",
    `The value of the header ${name} is not plain ASCII on one line.`,
  );
}

function assertBytes(what: string, length: number, max: number): void {
  if (length <= max) return;
  throw new ManagerError("E_LIMIT", `${what} take ${length} bytes; ${max} can be sent (maxPreviewBytes).`, {
    hint: "Every request of every visitor carries them. Send less.",
    details: { limit: "maxPreviewBytes", max },
  });
}
