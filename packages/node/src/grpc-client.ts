import { ambientStorage, type Context, type ScopeEntry } from "./context.ts";
import { grpcHosts } from "./grpc-target.ts";
import type { ContextHeaders } from "./header-list.ts";
import type { Hook } from "./hook.ts";
import type { Outgoing } from "./outgoing.ts";
import { bindMethods } from "./scope.ts";

/** As far as it concerns us, what `@grpc/grpc-js` calls `Metadata`. */
interface Metadata {
  clone(): Metadata;
  get(name: string): unknown[];
  set(name: string, value: string): void;
  remove(name: string): void;
}

const made: unique symbol = Symbol("clew.call");

/** A call, as a channel makes it, with what was so where it was made. */
interface Call {
  [made]?: Made;
}

interface Made {
  readonly enter: ScopeEntry;
  readonly context: Context;
  /** Whether the context may go where the call goes. */
  readonly isDestination: boolean;
}

const hookedChannels: WeakMap<object, Hook> = new WeakMap();

/**
 * Adds the context to the calls of `@grpc/grpc-js` as it was where each call was made, and calls back in that scope.
 * A channel that is still connecting, or balances, or retries, goes on with its calls from the scope of another.
 *
 * The calls are taken hold of where a client gets one from its channel: below all interceptors, whose metadata wins like
 * the application's own, and above retries, which send what the first attempt sent. The server needs no hook of its own: it
 * stands on `node:http2`.
 */
export function hookGrpcChannel(hook: Hook, prototype: object, outgoing: Outgoing): void {
  if (hookedChannels.get(prototype) === hook) return;
  hookedChannels.set(prototype, hook);
  const storage = ambientStorage();
  const hookedCalls = new WeakSet<object>();
  hook.replace(
    prototype,
    "createCall",
    (createCall) =>
      function (this: object, ...args) {
        const call: Call = Reflect.apply(createCall, this, args);
        if (!hook.active) return call;
        try {
          const callPrototype = Object.getPrototypeOf(call);
          if (!hookedCalls.has(callPrototype)) {
            hookedCalls.add(callPrototype);
            hookCalls(hook, callPrototype, outgoing);
          }
          const hosts = grpcHosts(this, args[2]);
          const context = outgoing.ambientFor(hosts[0] ?? "");
          call[made] = {
            enter: storage.capture(),
            context,
            isDestination: hosts.every((host) => outgoing.mayGoTo(host)),
          };
        } catch (error) {
          hook.fail(error);
        }
        return call;
      },
  );
}

function hookCalls(hook: Hook, prototype: object, outgoing: Outgoing): void {
  hook.replace(
    prototype,
    "start",
    (start) =>
      function (this: Call, ...args) {
        const at = this[made];
        let changed = args;
        try {
          if (hook.active && at !== undefined) {
            const [metadata, listener, ...rest] = args;
            changed = [withContext(metadata, at, outgoing), bindMethods(listener, at.enter), ...rest];
          }
        } catch (error) {
          hook.fail(error);
        }
        return Reflect.apply(start, this, changed);
      },
  );
  // Says when a message has been taken over, which is where a stream goes on: `drain`, `finish`, callbacks of `write`.
  hook.replace(
    prototype,
    "sendMessageWithContext",
    (send) =>
      function (this: Call, ...args) {
        const at = this[made];
        const [writing, ...rest] = args;
        const changed = hook.active && at !== undefined ? [bindMethods(writing, at.enter), ...rest] : args;
        return Reflect.apply(send, this, changed);
      },
  );
}

/** A copy, since metadata may be used for many calls. */
function withContext(metadata: Metadata, at: Made, outgoing: Outgoing): Metadata {
  const existing: ContextHeaders = {
    baggage: metadata.get("baggage")[0],
    traceparent: metadata.get("traceparent")[0],
    tracestate: metadata.get("tracestate")[0],
    "x-forrst-caller": metadata.get("x-forrst-caller")[0],
  };
  const changed = metadata.clone();
  if (at.isDestination) {
    for (const [name, value] of outgoing.fieldsFor(at.context, existing)) changed.set(name, value);
  } else {
    for (const name of outgoing.leakedHeaders(at.context, existing)) changed.remove(name);
  }
  return changed;
}
