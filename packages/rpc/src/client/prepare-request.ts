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
import { markExactFields } from "../envelope/exact-context.ts";
import { writeRequest } from "../envelope/write.ts";
import { tracingUrn } from "../extensions/extension-urn.ts";
import { type ClientTracing, tracingOf } from "./call-extensions.ts";

export interface PreparedRequest {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type Preparer = (
  contract: { readonly name: string; readonly version: string },
  args: unknown,
  extensions: readonly RequestExtension[],
  /** URNs of what the function is known to refuse. */
  omitted?: ReadonlySet<string>,
) => PreparedRequest;

export interface PrepareOptions {
  readonly service: string;
  readonly token?: string | undefined;
  readonly destinations?: DestinationPolicy | undefined;
  readonly tracing?: ClientTracing | undefined;
}

/**
 * Makes requests to one destination, each with context and trace of where it is made, if the destination is internal (I5).
 * Source: Forrst specification, context "Outgoing Requests" and transport "Request Headers".
 */
export function createPreparer(options: PrepareOptions, url: URL): Preparer {
  const { service, token, destinations, tracing = "continue" } = options;
  // A Unix socket leads to this machine.
  const host = url.protocol === "unix:" ? "localhost" : url.hostname.replace(/^\[(.*)\]$/, "$1");
  const internal = isInternalDestination(host, destinations);
  return ({ name, version }, args, given, omitted) => {
    const id = randomUUID();
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "x-forrst-request-id": id,
    };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    let context: JsonObject | undefined;
    let extensions = given;
    if (internal) {
      const current = ambient.current() ?? emptyContext;
      injectContext(current, (header, value) => (headers[header] = value), { service });
      context = markExactFields(contextToForrst(current, service), current);
      const trace = omitted?.has(tracingUrn) === true ? undefined : tracingOf(tracing);
      if (trace !== undefined) {
        extensions = [trace, ...given];
        setTraceHeaders(headers, trace.options);
      }
    }
    const body = Buffer.from(
      writeRequest({ id, function: name, version, arguments: args as JsonObject, context, extensions }),
    );
    headers["content-length"] = String(body.length);
    return { id, headers, body };
  };
}

const traceHeaders = {
  trace_id: "x-forrst-trace-id",
  span_id: "x-forrst-span-id",
  parent_span_id: "x-forrst-parent-span-id",
} as const;

/** For those on the way that read no bodies. Ids that no header can hold stay in the body. */
function setTraceHeaders(headers: Record<string, string>, ids: JsonObject): void {
  for (const [member, header] of Object.entries(traceHeaders)) {
    const id = ids[member];
    if (typeof id === "string" && /^[\x21-\x7e]{1,128}$/.test(id)) headers[header] = id;
  }
}
