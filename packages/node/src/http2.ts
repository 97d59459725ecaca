import { ambientStorage } from "./context.ts";
import { Hook } from "./hook.ts";
import { whenHttp2Loaded } from "./http2-loading.ts";
import type { Incoming } from "./incoming.ts";
import { require } from "./lazy.ts";
import type { LostContexts } from "./lost-context.ts";
import type { Outgoing } from "./outgoing.ts";

/** Carries contexts through `node:http2` both ways, once the process uses it. Returns all hooks there are and will be. */
export function hookHttp2(incoming: Incoming, outgoing: Outgoing, lost: LostContexts): readonly Hook[] {
  const server = new Hook("http2.server");
  const client = new Hook("http2.client");
  // Now, since the process may come to use it in the scope of some request.
  const outside = ambientStorage().capture();
  const waiting = whenHttp2Loaded((internals) => {
    const { hookHttp2Servers }: typeof import("./http2-server.ts") = require("./http2-server.js");
    const { hookHttp2Clients }: typeof import("./http2-client.ts") = require("./http2-client.js");
    server.install(() => hookHttp2Servers(server, internals, incoming, lost));
    client.install(() => hookHttp2Clients(client, internals, outgoing, outside));
  });
  return [waiting, server, client];
}
