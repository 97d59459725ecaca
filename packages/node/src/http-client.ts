import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import type { Context } from "./context.ts";
import {
  type ContextHeaders,
  contextHeadersIn,
  flatPairs,
  isContextHeader,
  noContextHeaders,
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

/** Published since Node 22.12, at the end of a request's construction. */
const createdChannel = "http.client.request.created";

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

  // A request may be written from another scope than the one that created it, such as a queue's. Node's agents see it
  // while it is being constructed, and Node 22 publishes it then. An agent that is none of Node's, on Node 20, tells
  // nobody: there, what is ambient when the headers are made counts.
  const remember = (request: unknown): void => {
    try {
      if (!hook.active || !(request instanceof ClientRequest)) return;
      (request as Created)[creation] ??= outgoing.ambientFor(request.host);
    } catch (error) {
      hook.fail(error);
    }
  };
  hook.replace(
    Agent.prototype,
    "addRequest",
    (addRequest) =>
      function (this: unknown, ...args) {
        remember(args[0]);
        return Reflect.apply(addRequest, this, args);
      },
  );
  const onCreated = (message: unknown): void => remember((message as { request?: unknown }).request);
  subscribe(createdChannel, onCreated);
  hook.onDisable(() => unsubscribe(createdChannel, onCreated));

  hook.replace(
    ClientRequest.prototype,
    "_storeHeader",
    (storeHeader) =>
      function (this: ClientRequest & RequestInternals, firstLine: string, headers: unknown) {
        let lines = firstLine;
        let list = headers;
        try {
          if (hook.active) {
            const context = this[creation] ?? outgoing.ambientFor(this.host);
            if (isDestination(this, outgoing)) {
              [lines, list] = withContext(this, firstLine, headers, context, outgoing);
            } else list = withoutLeaked(this, headers, context, outgoing);
          }
        } catch (error) {
          hook.fail(error);
        }
        return Reflect.apply(storeHeader, this, [lines, list]);
      },
  );
}

/**
 * Put after the request line rather than set on the request: the application sees its own headers as it set them, and
 * a list of headers is not copied.
 */
function withContext(
  request: ClientRequest,
  firstLine: string,
  headers: unknown,
  context: Context,
  outgoing: Outgoing,
): [string, unknown] {
  const list = Array.isArray(headers) ? listOf(headers) : undefined;
  const existing = list === undefined ? contextHeadersOf(request) : contextHeadersIn(list);
  let lines = firstLine;
  let changed = headers;
  for (const field of outgoing.fieldsFor(context, existing)) {
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
  context: Context,
  outgoing: Outgoing,
): unknown {
  const list = Array.isArray(headers) ? listOf(headers) : undefined;
  const existing = list === undefined ? contextHeadersOf(request) : contextHeadersIn(list);
  const names = outgoing.leakedHeaders(context, existing);
  if (names.length === 0) return headers;
  if (list !== undefined) return withoutNames(list, names);
  for (const name of names) request.removeHeader(name);
  return headers;
}

/** What is set on a request whose headers were not given as a list. */
function contextHeadersOf(request: ClientRequest): ContextHeaders {
  let found = noContextHeaders;
  for (const name of request.getHeaderNames()) {
    if (isContextHeader(name)) found = { ...found, [name]: request.getHeader(name) };
  }
  return found;
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
  if (request.path.startsWith("/")) return outgoing.mayGoTo(request.host);
  // To a proxy, the whole URL is the path, and both get to see the headers. Source: RFC 9112 §3.2.2
  const target = URL.canParse(request.path) ? new URL(request.path).hostname : "";
  return outgoing.mayGoTo(request.host, target || request.host);
}
