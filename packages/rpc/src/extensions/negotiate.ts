import type { ForrstRequest } from "../envelope/document.ts";
import { fromForrstErrors, RpcError } from "../rpc-error.ts";
import { coreExtensionName, streamUrn } from "./extension-urn.ts";
import { readStreamRequest } from "./stream.ts";

/**
 * Refuses what cannot be served: unknown extensions are ignored, unless the request says `required`; known ones must
 * suit the function. Returns the URN by which a stream was asked for. Throws EXTENSION_NOT_SUPPORTED,
 * EXTENSION_NOT_APPLICABLE or INVALID_REQUEST. Source: Forrst specification, extensions/index "Server Handling".
 */
export function negotiateExtensions(request: ForrstRequest, kind: "function" | "stream"): string | undefined {
  for (const [index, { urn, required }] of request.extensions.entries()) {
    if (required !== true || coreExtensionName(urn) === "stream") continue;
    throw new RpcError("EXTENSION_NOT_SUPPORTED", `Extension not supported: ${urn}`, {
      source: { pointer: `/extensions/${index}` },
      details: { unsupported: [urn], supported: [streamUrn] },
    });
  }
  const stream = readStreamRequest(request);
  if (stream.kind === "invalid") throw fromForrstErrors([stream.error]);
  if (stream.kind === "accepted" && kind === "function") {
    throw new RpcError("EXTENSION_NOT_APPLICABLE", "Function does not support streaming", {
      source: { pointer: `/extensions/${stream.index}` },
      details: { function: request.function, extension: stream.urn },
    });
  }
  if (stream.kind === "none" && kind === "stream") {
    throw new RpcError("INVALID_REQUEST", `Function ${request.function} answers only as a stream`, {
      source: { pointer: "/extensions" },
      hint: `Send the extension ${streamUrn} with { "accept": true }.`,
    });
  }
  return stream.kind === "accepted" ? stream.urn : undefined;
}
