import { Hook } from "./hook.ts";
import { require } from "./lazy.ts";
import type { LibraryWatch } from "./modules.ts";
import type { Outgoing } from "./outgoing.ts";

/**
 * `@grpc/grpc-js`, every copy and version of it. Its own `./channel` is watched for as well as the whole of it, as
 * either may be what is seen first.
 */
export function watchGrpc(outgoing: Outgoing): LibraryWatch {
  const hook = new Hook("@grpc/grpc-js");
  return {
    hook,
    matches: (id) =>
      id.endsWith("/channel") || id === "@grpc/grpc-js" || id.endsWith("/grpc-js/build/src/index"),
    isComplete: (exports) => typeof channelOf(exports) === "function",
    install: (exports) => {
      const prototype = channelOf(exports as object)?.prototype;
      if (!hasMethods(prototype, ["createCall", "getTarget"])) return;
      const { hookGrpcChannel }: typeof import("./grpc-client.ts") = require("./grpc-client.js");
      hookGrpcChannel(hook, prototype, outgoing);
    },
  };
}

function channelOf(exports: object): { readonly prototype: unknown } | undefined {
  const { Channel, ChannelImplementation = Channel } = exports as Record<string, never>;
  return ChannelImplementation;
}

/** `http2-wrapper`, by which `got` speaks HTTP/2. */
export function watchHttp2Wrapper(): LibraryWatch {
  const hook = new Hook("http2-wrapper");
  return {
    hook,
    matches: (id) => id === "./agent" || id.endsWith("/http2-wrapper/source/agent"),
    install: (exports) => {
      const prototype = (exports as { Agent?: { readonly prototype: unknown } }).Agent?.prototype;
      if (!hasMethods(prototype, ["request", "getSession"])) return;
      const { hookHttp2Agent }: typeof import("./http2-wrapper.ts") = require("./http2-wrapper.js");
      hookHttp2Agent(hook, prototype);
    },
  };
}

/** By what it does, as its name is no proof: other libraries have channels and agents too. */
function hasMethods(prototype: unknown, names: readonly string[]): prototype is object {
  if (typeof prototype !== "object" || prototype === null) return false;
  return names.every((name) => typeof Reflect.get(prototype, name) === "function");
}
