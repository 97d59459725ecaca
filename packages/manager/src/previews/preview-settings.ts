import { createHmac, randomBytes } from "node:crypto";
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

/** 128 random bits: no two links are ever the same. */
const linkIdBytes = 16;

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

interface MadeAccess {
  readonly access: PreviewAccess;
  readonly linkId?: string | undefined;
  /** For the maker alone. */
  readonly linkToken?: string | undefined;
}

/** The access that is asked for, else the one there was, else by where the gateway can be reached. */
export async function makeAccess(
  core: Core,
  request: PreviewAccessRequest | undefined,
  before: PreviewRecord | undefined,
): Promise<MadeAccess> {
  const { directory } = core;
  const kind = request?.kind ?? (before ? accessOf(before).kind : defaultAccess(directory.view.gateway));
  if (kind === "public") return { access: { kind } };
  if (kind === "link") return makeLink(core, request, before);
  if (request?.kind !== "password") {
    if (before) return { access: accessOf(before) };
    throw new Error("A password is never a default.");
  }
  const salt = randomBytes(saltBytes).toString("base64url");
  return { access: { kind: "password", salt, hash: await hashPassword(request.password, salt) } };
}

/** Who may visit; everybody, where an earlier release made the preview. */
export function accessOf({ access }: PreviewRecord): PreviewAccess {
  return access ?? { kind: "public" };
}

/**
 * A preview that is made again, as by each run of a CI job, keeps its link: it stands in mails and tickets by then. Its token
 * is made anew each time from the managers' secret, so that nothing needs to keep it.
 */
function makeLink(
  core: Core,
  request: PreviewAccessRequest | undefined,
  before: PreviewRecord | undefined,
): MadeAccess {
  const isKept = request?.kind !== "link" || request.renew !== true;
  const known = isKept && before ? linkTokenOf(core, before) : undefined;
  if (before && known !== undefined) {
    return { access: accessOf(before), linkId: before.linkId, linkToken: known };
  }
  const linkId = randomBytes(linkIdBytes).toString("base64url");
  const linkToken = makeToken(core, linkId);
  return { access: { kind: "link", tokenHash: hashLinkToken(linkToken) }, linkId, linkToken };
}

/** Undefined without a link, and where the secret was lost: then the link that people have cannot be told any more. */
export function linkTokenOf(core: Core, { access, linkId }: PreviewRecord): string | undefined {
  if (access?.kind !== "link" || linkId === undefined) return undefined;
  const token = makeToken(core, linkId);
  return hashLinkToken(token) === access.tokenHash ? token : undefined;
}

function makeToken({ directory }: Core, linkId: string): string {
  const key = directory.view.linkKey;
  if (key === undefined) throw new Error("The secret for links is not there.");
  return createHmac("sha256", Buffer.from(key, "base64url")).update(linkId).digest("base64url");
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
