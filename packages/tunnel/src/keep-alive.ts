import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TunnelLimits } from "./limits.ts";

export interface KeepAlive {
  /** Whether a ping has been unanswered for so long that waiting for this peer makes no sense (I3). Sends one when it is not sure. */
  isSuspect(): boolean;
  stop(): void;
}

/**
 * Pings a peer, and says when it is dead. Any byte counts as life, since a ping's answer may queue behind a download.
 * While a peer drains, Node sends no pings to it, but answers the ones it sends: bytes again.
 */
export function startKeepAlive(
  session: Http2Session,
  socket: Socket,
  limits: TunnelLimits,
  on: { readonly pong: () => void; readonly dead: () => void },
): KeepAlive {
  let seenBytes = socket.bytesRead;
  let missed = 0;
  let lastSignAt = performance.now();
  let pingedAt: number | undefined;

  const listen = (): boolean => {
    if (socket.bytesRead === seenBytes) return false;
    seenBytes = socket.bytesRead;
    lastSignAt = performance.now();
    missed = 0;
    return true;
  };
  const ping = (): void => {
    if (pingedAt !== undefined || session.closed || session.destroyed) return;
    pingedAt = performance.now();
    session.ping((error: Error | null) => {
      pingedAt = undefined;
      if (error !== null) return;
      lastSignAt = performance.now();
      on.pong();
    });
  };
  ping();
  const timer = setInterval(() => {
    if (!listen()) missed += 1;
    if (missed >= limits.maxMissedPings) on.dead();
    else ping();
  }, limits.pingIntervalMs);
  // The socket keeps the process alive as long as it is wanted; a timer must not do so on its own.
  timer.unref();

  return {
    isSuspect() {
      const now = performance.now();
      if (listen() || now - lastSignAt <= limits.suspectAfterMs) return false;
      if (pingedAt === undefined) ping();
      return pingedAt !== undefined && now - pingedAt > limits.suspectAfterMs;
    },
    stop: () => clearInterval(timer),
  };
}
