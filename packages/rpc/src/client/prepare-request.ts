import { randomUUID } from "node:crypto";
import {
  context as ambient,
  contextToForrst,
  type DestinationPolicy,
  emptyContext,
  injectContext,
  isInternalDestination,
} from "@clew/context";
import type { JsonObject, RequestExtension } from "../envelope/document.ts";
import { writeRequest } from "../envelope/write.ts";

export interface PreparedRequest {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type Preparer = (
  contract: { readonly name: string; readonly version: string },
  args: unknown,
  extensions: readonly RequestExtension[],
) => PreparedRequest;

export interface PrepareOptions {
  readonly service: string;
  readonly token?: string | undefined;
  readonly destinations?: DestinationPolicy | undefined;
}

/**
 * Makes requests to one destination, each with the context of where it is made, if the destination is internal (I5).
 * Source: Forrst specification, context "Outgoing Requests" and transport "Request Headers".
 */
export function createPreparer({ service, token, destinations }: PrepareOptions, url: URL): Preparer {
  const internal = isInternalDestination(url.hostname.replace(/^\[(.*)\]$/, "$1"), destinations);
  return ({ name, version }, args, extensions) => {
    const id = randomUUID();
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "x-forrst-request-id": id,
    };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    let context: JsonObject | undefined;
    if (internal) {
      const current = ambient.current() ?? emptyContext;
      injectContext(current, (header, value) => (headers[header] = value), { service });
      context = contextToForrst(current, service);
    }
    const body = Buffer.from(
      writeRequest({ id, function: name, version, arguments: args as JsonObject, context, extensions }),
    );
    headers["content-length"] = String(body.length);
    return { id, headers, body };
  };
}
