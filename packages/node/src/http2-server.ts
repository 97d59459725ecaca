import type { Http2Stream, IncomingHttpHeaders } from "node:http2";
import type { Hook } from "./hook.ts";
import type { Http2Internals } from "./http2-loading.ts";
import { http2StreamEvents } from "./http2-stream.ts";
import type { Incoming } from "./incoming.ts";
import type { LostContexts } from "./lost-context.ts";
import { entryTo, type Scoped, scopedEmit, scopeEntry } from "./scope.ts";

/** `Http2Session.type` of a server's session: `NGHTTP2_SESSION_SERVER`. */
const serverType = 0;

/**
 * Opens a scope for every stream that a client opens, with a context of its own, if an empty one, however many share
 * a session; and again for everything that Node emits on the stream later. The objects of the compatibility API hang
 * on its events, and so does the server of `@grpc/grpc-js`.
 */
export function hookHttp2Servers(
  hook: Hook,
  { session }: Http2Internals,
  incoming: Incoming,
  lost: LostContexts,
): void {
  let streamPrototype: object | undefined;

  const hookStreams = (prototype: object): void =>
    hook.replace(prototype, "emit", (emit) => {
      const scoped = scopedEmit(hook, http2StreamEvents)(emit);
      return function (this: object, ...args) {
        if (args[0] === "close") lost.closed(this);
        return Reflect.apply(scoped, this, args);
      };
    });

  const open = (stream: Http2Stream & Scoped, headers: IncomingHttpHeaders): void => {
    // The class is not to be had before there is a stream.
    if (streamPrototype === undefined) {
      streamPrototype = Object.getPrototypeOf(stream) as object;
      hookStreams(streamPrototype);
    }
    stream[scopeEntry] = entryTo(incoming.contextOf(headers));
    lost.opened(stream);
  };

  hook.replace(
    session,
    "emit",
    (emit) =>
      function (this: { type?: number }, ...args) {
        if (!hook.active || args[0] !== "stream" || this.type !== serverType) {
          return Reflect.apply(emit, this, args);
        }
        const stream: Http2Stream & Scoped = args[1];
        try {
          open(stream, args[2]);
        } catch (error) {
          hook.fail(error);
        }
        const enter = stream[scopeEntry];
        return enter === undefined
          ? Reflect.apply(emit, this, args)
          : enter(() => Reflect.apply(emit, this, args));
      },
  );
}
