import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TunnelLimits } from "./limits.ts";

export interface KeepAlive {
  /**
   * Whether the peer has been silent since a ping for so long that waiting for it makes no sense (I3). Sends a ping
   * when none is under way, so that a peer that went silent is found by its next stream and not by the next interval.
   */
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

  const listen = (): void => {
    if (socket.bytesRead === seenBytes) return;
    seenBytes = socket.bytesRead;
    lastSignAt = performance.now();
    missed = 0;
  };
  const ping = (): void => {
    if (pingedAt !== undefined || session.closed || session.destroyed) return;
    pingedAt = performance.now();
    session.ping((error: Error | null) => {
      pingedAt = undefined;
      if (error === null) on.pong();
    });
  };
  ping();
  const timer = setInterval(() => {
    missed += 1;
    listen();
    if (missed >= limits.maxMissedPings) on.dead();
    else ping();
  }, limits.pingIntervalMs);
  // The socket keeps the process alive as long as it is wanted; a timer must not do so on its own.
  timer.unref();

  return {
    isSuspect() {
      listen();
      ping();
      return (
        pingedAt !== undefined && performance.now() - Math.max(pingedAt, lastSignAt) > limits.suspectAfterMs
      );
    },
    stop: () => clearInterval(timer),
  };
}
