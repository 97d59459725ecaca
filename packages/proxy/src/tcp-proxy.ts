import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type Listen, listenOn } from "./listener.ts";
import { sweepsUntilIdle, TcpConnection, type TcpEnvironment } from "./tcp-connection.ts";
import { defaultTcpLimits, type TcpLimits } from "./tcp-limits.ts";
import type { TcpProxy, TcpRoute, TcpStats } from "./tcp-types.ts";

export interface TcpProxyOptions {
  readonly listen: Listen;
  /** Asked once per connection. When it throws, the connection is broken off and `onError` told. */
  readonly route: TcpRoute;
  readonly limits?: Partial<TcpLimits> | undefined;
  /** Told of faults that are ours or the plan's, not the network's. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Written but not yet taken by the kernel, before the other side is asked to wait. Less than one read, so that one read is all that is held. */
const writeBufferBytes = 16 * 1024;

/** Passes whole connections on, whatever is spoken on them. Throws E_LISTEN. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { route, onError = () => {} } = options;
  const limits = { ...defaultTcpLimits, ...options.limits };
  const stats: TcpStats = {
    connectionsOpen: 0,
    connectionsTotal: 0,
    connectionsRefused: 0,
    fallbacks: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
  const environment: TcpEnvironment = { limits, stats, onError };
  const connections = new Set<TcpConnection>();
  const accept = (socket: Socket): void => {
    stats.connectionsTotal += 1;
    let connection: TcpConnection;
    try {
      const { remoteAddress, remotePort } = socket;
      const plan = route({ remoteAddress, remotePort });
      connection = new TcpConnection(environment, socket, plan, () => {
        stats.connectionsOpen -= 1;
        connections.delete(connection);
      });
    } catch (error) {
      socket.on("error", () => socket.destroy()).resetAndDestroy();
      onError(error);
      return;
    }
    stats.connectionsOpen += 1;
    connections.add(connection);
    connection.start();
  };
  const server = createServer(
    {
      // One direction may end before the other.
      allowHalfOpen: true,
      // What the client sends waits in the kernel until there is somewhere to send it.
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: limits.keepAliveProbeMs,
      highWaterMark: writeBufferBytes,
    },
    accept,
  );
  server.maxConnections = limits.maxConnections;
  server.on("drop", () => {
    stats.connectionsRefused += 1;
  });
  const address = await listenOn(server, options.listen);
  const sweeping = setInterval(() => {
    for (const connection of connections) connection.sweep();
  }, limits.idleTimeoutMs / sweepsUntilIdle).unref();
  const drain = async (graceMs: number): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    const timer = setTimeout(() => {
      for (const connection of connections) connection.breakOff("drained");
    }, graceMs);
    await closed;
    clearTimeout(timer);
    clearInterval(sweeping);
  };
  let closing: Promise<void> | undefined;
  return {
    address,
    server,
    stats,
    cut(group) {
      const members = [...connections].filter((connection) => connection.group === group);
      for (const connection of members) connection.breakOff("cut");
      return members.length;
    },
    close({ graceMs = limits.drainGraceMs } = {}) {
      closing ??= drain(graceMs);
      return closing;
    },
  };
}
