import type { Socket } from "node:net";
import { dialSocket } from "./dial-socket.ts";
import { tunnelError } from "./tunnel-error.ts";

/** In this order, so that a port that is open on both is always the same service. Many development servers take ::1 only. */
const loopbackHosts = ["127.0.0.1", "::1"] as const;

/** Connects to a port of this machine. Rejects with `E_TUNNEL_PORT_CLOSED` when nothing listens there. */
export async function connectLocalPort(
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const causes: unknown[] = [];
  for (const host of loopbackHosts) {
    try {
      return await dialSocket({ host, port }, timeoutMs, signal);
    } catch (error) {
      causes.push(error);
    }
  }
  const message = `nothing listens on port ${port} of the developer's machine (tried ${loopbackHosts.join(" and ")})`;
  throw tunnelError("E_TUNNEL_PORT_CLOSED", message, new AggregateError(causes));
}
