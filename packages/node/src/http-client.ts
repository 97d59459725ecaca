// biome-ignore-all lint/complexity/noArguments: a rest parameter makes an array for each call, of which a request has many.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import type { Context } from "./context.ts";
import {
  type ContextHeaders,
  contextHeadersIn,
  flatPairs,
  noContextHeaders,
  type OutgoingHeaders,
  outgoingFields,
  outgoingLines,
  withFields,
  withoutNames,
} from "./header-list.ts";
import type { Hook } from "./hook.ts";
import type { Outgoing } from "./outgoing.ts";

const creation: unique symbol = Symbol("clew.context");

/** A request with the context in which it was created. */
interface Created {
  [creation]?: Context;
}

/** Published at the end of a request's construction, since Node 22.12 and 23.2. */
const createdChannel = "http.client.request.created";
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const publishesCreation = major > 23 || (major === 23 && minor >= 2) || (major === 22 && minor >= 12);

/** What Node keeps on a request without saying so in its types; as of Node 20 to 24. */
interface RequestInternals extends Created {
  readonly socketPath?: string | undefined;
}

/**
 * Adds the context to requests of `node:http` and `node:https` where their headers are made into text, the one place
 * that all of them pass: those with headers as an object, as a list, and those that expect `100 Continue`.
 */
export function hookClients(hook: Hook, outgoing: Outgoing): void {
  const { Agent, ClientRequest } = process.getBuiltinModule("node:http");

  // A request may be written from another scope than the one that created it, such as a queue's. Node publishes it
  // when it is constructed, and before it did, its agents see it then. An agent that is none of Node's, on Node 20,
  // tells nobody: there, what is ambient when the headers are made counts.
  const remember = (request: unknown): void => {
    try {
      if (!hook.active || !(request instanceof ClientRequest)) return;
      (request as Created)[creation] ??= outgoing.ambientFor(request.host);
    } catch (error) {
      hook.fail(error);
    }
  };
  if (publishesCreation) {
    const onCreated = (message: unknown): void => remember((message as { request?: unknown }).request);
    subscribe(createdChannel, onCreated);
    hook.onDisable(() => unsubscribe(createdChannel, onCreated));
  } else {
    hook.replace(
      Agent.prototype,
      "addRequest",
      (addRequest) =>
        function (this: unknown, request: unknown, options: unknown) {
          remember(request);
          // Node passes two; a host by itself and its port are from old times.
          return arguments.length === 2
            ? addRequest.call(this, request, options)
            : Reflect.apply(addRequest, this, arguments);
        },
    );
  }

  hook.replace(
    ClientRequest.prototype,
    "_storeHeader",
    (storeHeader) =>
      function (this: ClientRequest & RequestInternals, firstLine: string, headers: unknown) {
        let lines = firstLine;
        let changed = headers;
        try {
          if (hook.active) {
            const context = this[creation] ?? outgoing.ambientFor(this.host);
            const list = Array.isArray(headers) ? listOf(headers) : undefined;
            const existing = list === undefined ? contextHeadersOf(this, headers) : contextHeadersIn(list);
            if (!isDestination(this, outgoing)) {
              changed = withoutLeaked(this, headers, list, outgoing.leakedHeaders(context, existing));
            } else {
              const added = outgoing.headersFor(context, existing);
              // Put after the request line rather than set on the request: the application sees its own headers as
              // it set them, and a list of headers is not copied.
              if (existing === noContextHeaders) lines += outgoingLines(added);
              else [lines, changed] = withContext(this, firstLine, headers, list, existing, added);
            }
          }
        } catch (error) {
          hook.fail(error);
        }
        return storeHeader.call(this, lines, changed);
      },
  );
}

/** Beside headers of the application's own that hold a context as well. */
function withContext(
  request: ClientRequest,
  firstLine: string,
  headers: unknown,
  list: unknown[] | undefined,
  existing: ContextHeaders,
  added: OutgoingHeaders,
): [string, unknown] {
  let lines = firstLine;
  let changed = headers;
  for (const field of outgoingFields(added)) {
    const [name, value] = field;
    if (existing[name as keyof ContextHeaders] === undefined) lines += `${name}: ${value}\r\n`;
    else if (list === undefined) request.setHeader(name, value);
    else changed = withFields(list, [field]);
  }
  return [lines, changed];
}

function withoutLeaked(
  request: ClientRequest,
  headers: unknown,
  list: unknown[] | undefined,
  names: readonly string[],
): unknown {
  if (names.length === 0) return headers;
  if (list !== undefined) return withoutNames(list, names);
  for (const name of names) request.removeHeader(name);
  return headers;
}

/** What is set on a request whose headers were not given as a list. Node passes those it holds, by lower-case names. */
function contextHeadersOf(request: ClientRequest, headers: unknown): ContextHeaders {
  // Looked at there, where one look costs less than asking the request for one.
  const held = (headers ?? noContextHeaders) as ContextHeaders;
  const isHeld =
    (held.baggage ?? held.traceparent ?? held.tracestate ?? held["x-forrst-caller"]) !== undefined;
  if (!isHeld) return noContextHeaders;
  return {
    baggage: request.getHeader("baggage"),
    traceparent: request.getHeader("traceparent"),
    tracestate: request.getHeader("tracestate"),
    "x-forrst-caller": request.getHeader("x-forrst-caller"),
  };
}

/** A list of pairs, which Node takes as well, as one list. What is neither is left for Node to refuse. */
function listOf(headers: unknown[]): unknown[] {
  return (Array.isArray(headers[0]) ? flatPairs(headers) : undefined) ?? headers;
}

function isDestination(request: ClientRequest & RequestInternals, outgoing: Outgoing): boolean {
  // It asks a proxy for a tunnel, and is no request to a service.
  if (request.method === "CONNECT") return false;
  // By a socket of the file system, nothing leaves the machine.
  if (request.socketPath) return true;
  if (request.path[0] === "/") return outgoing.mayGoTo(request.host);
  // To a proxy, the whole URL is the path, and both get to see the headers. Source: RFC 9112 §3.2.2
  const target = URL.canParse(request.path) ? new URL(request.path).hostname : "";
  return outgoing.mayGoTo(request.host, target || request.host);
}
