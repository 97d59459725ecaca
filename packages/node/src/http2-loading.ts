import type { ClientHttp2Session } from "node:http2";
import { Hook } from "./hook.ts";

type Http2 = typeof import("node:http2");

/** What is changed for HTTP/2. Node exports none of it. */
export interface Http2Internals {
  /** The prototype of the sessions of both sides. */
  readonly session: object;
  /** The prototype of the sessions of clients, which inherits from the other. */
  readonly clientSession: object;
  /** `host:port` that a client's session was made for. */
  authorityOf(session: object): string;
}

/**
 * Calls `use`, which must not throw, as soon as the process has loaded `node:http2` and goes on to use it: when it
 * makes a connection or lets a server listen. Loading the module here would cost every process some 10 ms, and it can
 * be loaded in ways that nobody can watch. Returns the hook that waits.
 */
export function whenHttp2Loaded(use: (internals: Http2Internals) => void): Hook {
  const waiting = new Hook("http2");
  const look = (): void => {
    if (!waiting.active || !isHttp2Loaded()) return;
    const internals = findInternals(process.getBuiltinModule("node:http2"));
    waiting.disable();
    use(internals);
  };
  waiting.install(() => {
    look();
    if (!waiting.active) return;
    const { Server, Socket } = process.getBuiltinModule("node:net");
    for (const [owner, key] of [
      [Socket.prototype, "connect"],
      [Server.prototype, "listen"],
    ] as const) {
      waiting.replace(
        owner,
        key,
        (method) =>
          function (this: unknown, ...args) {
            waiting.install(look);
            return Reflect.apply(method, this, args);
          },
      );
    }
  });
  return waiting;
}

/** Node's own list of what it has loaded; a Node without it is taken to have loaded everything. */
function isHttp2Loaded(): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes("NativeModule http2") ?? true;
}

/** No host has this name, and no connection to it is opened. */
const probeAuthority = "clew.invalid:1";

/** Reads them off a session whose socket never connects, as that of a first request would be too late. */
function findInternals(http2: Http2): Http2Internals {
  const { Socket } = process.getBuiltinModule("node:net");
  const socket: { connecting: boolean } = new Socket();
  socket.connecting = true;
  const session = http2.connect(`http://${probeAuthority}`, {
    createConnection: () => socket as InstanceType<typeof Socket>,
  });
  session.on("error", ignore);
  session.destroy();
  const authority = Object.getOwnPropertySymbols(session).find(
    (symbol) => Reflect.get(session, symbol) === probeAuthority,
  );
  if (authority === undefined) throw new TypeError("this Node does not say where an HTTP/2 session goes");
  const clientSession: ClientHttp2Session = Object.getPrototypeOf(session);
  return {
    clientSession,
    session: Object.getPrototypeOf(clientSession),
    authorityOf: (other) => String(Reflect.get(other, authority)),
  };
}

/** Safe: the session was made to be looked at, and whatever becomes of it concerns nobody. */
function ignore(): void {}
