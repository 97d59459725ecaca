import { hostOfAuthority } from "./authority.ts";
import { ambientStorage, type Context, emptyContext, type ScopeEntry } from "./context.ts";
import {
  contextHeadersIn,
  type HeaderList,
  headerValue,
  noContextHeaders,
  plusFields,
  withFields,
} from "./header-list.ts";
import type { Hook } from "./hook.ts";
import type { Http2Internals } from "./http2-loading.ts";
import { http2StreamEvents } from "./http2-stream.ts";
import type { Outgoing } from "./outgoing.ts";
import { type Scoped, scopedEmit, scopeEntry } from "./scope.ts";

/**
 * Adds the context to the requests of `node:http2` where they are made, and calls their listeners back in the scope
 * they were made in: a session serves many requests, and all that Node emits comes from the scope of the session.
 * What it emits on the session itself belongs to none of them, so it is emitted outside of any scope: a library that
 * queues requests until there is a session rather loses their context, which is reported, than gives them another's.
 * `outside` leads there.
 */
export function hookHttp2Clients(
  hook: Hook,
  { clientSession, authorityOf }: Http2Internals,
  outgoing: Outgoing,
  outside: ScopeEntry,
): void {
  const storage = ambientStorage();
  const caller = outgoing
    .fieldsFor(emptyContext, noContextHeaders)
    .find(([name]) => name === "x-forrst-caller");
  let streamPrototype: object | undefined;

  const decide = (session: object, headers: unknown): unknown => {
    const list = headersOf(headers);
    if (list === undefined) return headers;
    if (isDecidedAbove(list, caller?.[1])) return headers;
    const host = hostOfAuthority(authorityOf(session));
    if (!isDestination(list, host, outgoing)) return headers;
    return withContext(list, outgoing.ambientFor(host), outgoing);
  };

  const bind = (stream: Scoped, enter: ScopeEntry): void => {
    // The class is not to be had before there is a stream.
    if (streamPrototype === undefined) {
      streamPrototype = Object.getPrototypeOf(stream) as object;
      hook.replace(streamPrototype, "emit", scopedEmit(hook, http2StreamEvents));
    }
    stream[scopeEntry] = enter;
  };

  hook.replace(
    clientSession,
    "request",
    (request) =>
      function (this: object, ...args) {
        if (!hook.active) return Reflect.apply(request, this, args);
        const [headers, ...rest] = args;
        const changed = guarded(hook, () => decide(this, headers), headers);
        const stream = Reflect.apply(request, this, [changed, ...rest]);
        guarded(hook, () => bind(stream, storage.capture()), undefined);
        return stream;
      },
  );
  hook.replace(
    clientSession,
    "emit",
    (emit) =>
      function (this: unknown, ...args) {
        return hook.active ? outside(() => Reflect.apply(emit, this, args)) : Reflect.apply(emit, this, args);
      },
  );
}

/** Undefined for what Node refuses: it shall say so, as it would have. */
function headersOf(headers: unknown): HeaderList | undefined {
  if (headers === undefined) return {};
  if (typeof headers !== "object" || headers === null) return undefined;
  return Array.isArray(headers) && headers.length % 2 === 1 ? undefined : (headers as HeaderList);
}

/** What `decide` says; `otherwise` when it fails, which ends the hook. */
function guarded<T>(hook: Hook, decide: () => T, otherwise: T): T {
  try {
    return decide();
  } catch (error) {
    hook.fail(error);
    return otherwise;
  }
}

/**
 * Libraries that make requests of their own kind and send them by a session when they can get one, from whichever
 * scope that happens in, have been given the context where the request was made: undici, which then names this service
 * as the caller, and `@grpc/grpc-js`. A copy of the latter that is out of reach, in a bundle, gets none: better than
 * another's.
 */
function isDecidedAbove(headers: HeaderList, caller: string | undefined): boolean {
  const userAgent = headerValue(headers, "user-agent");
  if (typeof userAgent === "string" && /(?:^| )grpc-node-js\//.test(userAgent)) return true;
  const given = headerValue(headers, "x-forrst-caller");
  return given !== undefined && String(given) === caller;
}

function isDestination(headers: HeaderList, host: string, outgoing: Outgoing): boolean {
  // It asks a proxy for a tunnel, or, with a protocol, a server for another use of the stream.
  if (headerValue(headers, ":method") === "CONNECT") return false;
  // Another host than that of the session is behind it, and both get to see the headers.
  const authority = headerValue(headers, ":authority") ?? headerValue(headers, "host");
  return outgoing.mayGoTo(host, authority === undefined ? host : hostOfAuthority(String(authority)));
}

/** A copy, since headers that the application made may be used again; with the names that it declared sensitive. */
function withContext(headers: HeaderList, context: Context, outgoing: Outgoing): HeaderList {
  const existing = contextHeadersIn(headers);
  const fields = outgoing.fieldsFor(context, existing);
  if (fields.length === 0) return headers;
  const changed = existing === noContextHeaders ? plusFields(headers, fields) : withFields(headers, fields);
  for (const symbol of Object.getOwnPropertySymbols(headers)) {
    Reflect.set(changed, symbol, Reflect.get(headers, symbol));
  }
  return changed;
}
