import { ambientStorage, type Context, emptyContext } from "@clew/context";
import { hostOfAuthority } from "./authority.ts";
import { type HeaderList, headerValue, withFields } from "./header-list.ts";
import type { Hook, Method } from "./hook.ts";
import type { Http2Internals } from "./http2-loading.ts";
import { http2StreamEvents } from "./http2-stream.ts";
import type { Outgoing } from "./outgoing.ts";
import { runIn, type Scoped, scope, scopedEmit } from "./scope.ts";

/**
 * Adds the context to the requests of `node:http2` where they are made, and calls their listeners back in the scope
 * they were made in: a session serves many requests, and all that Node emits comes from the scope of the session.
 * What it emits on the session itself belongs to none of them, so it is emitted outside of any scope: a library that
 * queues requests until there is a session rather loses their context, which is reported, than gives them another's.
 */
export function hookHttp2Clients(
  hook: Hook,
  { clientSession, authorityOf }: Http2Internals,
  outgoing: Outgoing,
): void {
  const storage = ambientStorage();
  const caller = outgoing
    .fieldsFor(emptyContext, () => undefined)
    .find(([name]) => name === "x-forrst-caller");
  let streamPrototype: object | undefined;

  const decide = (session: object, headers: unknown): unknown => {
    if (headers !== undefined && (typeof headers !== "object" || headers === null)) return headers;
    const list = (headers ?? {}) as HeaderList;
    if (isDecidedAbove(list, caller?.[1])) return headers;
    const host = hostOfAuthority(authorityOf(session));
    if (!isDestination(list, host, outgoing)) return headers;
    return withContext(list, outgoing.ambientFor(host), outgoing);
  };

  const bind = (stream: Scoped, context: Context | undefined): void => {
    // The class is not to be had before there is a stream.
    if (streamPrototype === undefined) {
      streamPrototype = Object.getPrototypeOf(stream) as object;
      hook.replace(streamPrototype, "emit", scopedEmit(hook, storage, http2StreamEvents));
    }
    stream[scope] = context ?? null;
  };

  hook.replace(
    clientSession,
    "request",
    (request) =>
      function (this: object, ...args) {
        if (!hook.active) return Reflect.apply(request, this, args);
        const context = storage.getStore();
        const changed = guarded(hook, () => decide(this, args[0]), args[0]);
        const stream = Reflect.apply(request, this, [changed, ...args.slice(1)]);
        guarded(hook, () => bind(stream, context), undefined);
        return stream;
      },
  );
  hook.replace(
    clientSession,
    "emit",
    (emit: Method) =>
      function (this: unknown, ...args) {
        return hook.active ? runIn(storage, undefined, emit, this, args) : Reflect.apply(emit, this, args);
      },
  );
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
 * as the caller, and `@grpc/grpc-js`. A copy of the latter that is out of reach, in a bundle, gets none: better than another's.
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
  const fields = outgoing.fieldsFor(context, (name) => headerValue(headers, name));
  if (fields.length === 0) return headers;
  const changed = withFields(headers, fields);
  for (const symbol of Object.getOwnPropertySymbols(headers)) {
    Reflect.set(changed, symbol, Reflect.get(headers, symbol));
  }
  return changed;
}
