import { createConnection, type Socket } from "node:net";
import type { PreparedRequest } from "../client/prepare-request.ts";
import type { ClientTransport, SendOptions, TransportAnswer } from "../client/transport.ts";
import { maxResponseBytes } from "../envelope/limits.ts";
import { isRpcError } from "../rpc-error.ts";
import { unreachable } from "./http-client.ts";
import type { TlsClientOptions } from "./tls-options.ts";
import { UnixConnection } from "./unix-connection.ts";

/**
 * A request longer than this goes on a connection of its own: it would hold up the others, and a server that refuses
 * it for its size cannot say which request it means.
 */
const maxSharedBytes = 65_536;

/** Calls share one connection; streams and large requests have one of their own each. */
export function createUnixClient(url: URL, _tls: TlsClientOptions): ClientTransport {
  const path = decodeURIComponent(url.pathname);
  let shared: UnixConnection | undefined;
  let connecting: Promise<UnixConnection> | undefined;

  const connect = async (): Promise<UnixConnection> =>
    new UnixConnection(await connected(createConnection(path)), maxResponseBytes);
  const connectShared = (): Promise<UnixConnection> => {
    connecting ??= connect()
      .then((connection) => (shared = connection))
      .finally(() => {
        connecting = undefined;
      });
    return connecting;
  };
  const send = async (request: PreparedRequest, options: SendOptions): Promise<TransportAnswer> => {
    const isOwn = options.isStream || request.body.length > maxSharedBytes;
    if (isOwn) {
      const connection = await untilAborted(connect(), options.signal, (late) => late.close());
      return await connection.send(request, options, true);
    }
    const connection = shared?.isUsable === true ? shared : undefined;
    try {
      const used = connection ?? (await untilAborted(connectShared(), options.signal, () => {}));
      return await used.send(request, options, false);
    } catch (error) {
      if (connection === undefined || !options.isRepeatable || options.signal.aborted) throw error;
      return await (await connectShared()).send(request, options, false);
    }
  };
  return {
    async send(request, options) {
      try {
        return await send(request, options);
      } catch (error) {
        if (options.signal.aborted) throw options.signal.reason;
        throw isRpcError(error) ? error : unreachable(url, error);
      }
    },
    close() {
      shared?.close();
      // Whoever waits for the connection hears why it could not be made.
      connecting?.then(
        (connection) => connection.close(),
        () => {},
      );
    },
  };
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** `onLate` gets what comes when nobody waits for it any more. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, onLate: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    promise
      .then((value) => (signal.aborted ? onLate(value) : resolve(value)), reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
