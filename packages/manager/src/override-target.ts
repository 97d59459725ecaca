import { isInternalDestination } from "@clew/context";
import type { OverrideRequest } from "@clew/control";
import type { Target } from "@clew/routing";
import { ManagerError } from "./manager-error.ts";
import type { SessionRecord } from "./records.ts";

/**
 * The target as tables carry it. An address must be internal: an override must not carry requests, and the
 * context in them, out of the house (I5). Throws `E_TARGET_INVALID`, `E_TARGET_EXTERNAL`.
 */
export function resolveTarget(requested: OverrideRequest["target"], session: SessionRecord): Target {
  if (requested.kind === "tunnel") {
    return { kind: "tunnel", session: session.id, port: requested.port, relay: session.relay };
  }
  const url = parseOrigin(requested.url);
  if (!isInternalDestination(url.hostname.replace(/^\[(.*)\]$/, "$1"))) {
    throw new ManagerError("E_TARGET_EXTERNAL", `${url.hostname} is not an internal destination.`, {
      hint: "A fork must run on loopback, a private address, or a name inside the house (wire: internal destinations).",
    });
  }
  return { kind: "address", url: url.origin };
}

function parseOrigin(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url?.protocol === "http:" &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "" &&
    url.username === "";
  if (url && isOrigin) return url;
  throw new ManagerError("E_TARGET_INVALID", `"${text}" is not the address of a running instance.`, {
    hint: "Give scheme, host and port alone, such as http://127.0.0.1:9101.",
  });
}
