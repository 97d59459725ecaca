import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { dialSocket } from "./dial-socket.ts";
import type { TunnelLimits } from "./limits.ts";
import { credentialHeaders, formatEndpoint, upgradePath, upgradeToken } from "./protocol.ts";
import { messageOf, parseRefusal, TunnelError, tunnelError } from "./tunnel-error.ts";
import type { Endpoint, SessionCredentials } from "./types.ts";

// An import would load all of Node's `fetch` for its `WebSocket`: some 13 MiB in each agent, which never dials.
const nodeHttp: typeof import("node:http") = createRequire(import.meta.url)("node:http");

/** A refusal is one JSON object of some hundred bytes; whoever sends more is no relay. */
const maxRefusalBytes = 4_096;

/**
 * Dials the manager and asks for an *in* connection. Resolves with a socket that speaks HTTP/2 from here on, with what
 * came already in its buffer. Rejects with the relay's refusal, or `E_TUNNEL_UNREACHABLE`, or the signal's reason.
 */
export async function dialIn(
  manager: Endpoint,
  credentials: SessionCredentials,
  limits: TunnelLimits,
  signal: AbortSignal,
): Promise<Socket> {
  const where = `manager ${formatEndpoint(manager)}`;
  let socket: Socket | undefined;
  try {
    socket = await dialSocket(manager, limits.dialTimeoutMs, signal);
    await shakeHands(socket, manager, credentials, limits.dialTimeoutMs, signal);
    return socket;
  } catch (cause) {
    socket?.destroy();
    signal.throwIfAborted();
    if (cause instanceof TunnelError) throw cause;
    throw tunnelError("E_TUNNEL_UNREACHABLE", `${where}: ${messageOf(cause)}`, cause);
  }
}

function shakeHands(
  socket: Socket,
  manager: Endpoint,
  credentials: SessionCredentials,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const where = `manager ${formatEndpoint(manager)}`;
    const asked = nodeHttp.request({
      method: "GET",
      path: upgradePath,
      createConnection: () => socket,
      headers: {
        host: formatEndpoint(manager),
        connection: "Upgrade",
        upgrade: upgradeToken,
        ...credentialHeaders(credentials),
      },
    });
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      if (error === undefined) resolve();
      else reject(error);
      if (error !== undefined) asked.destroy();
    };
    const abort = (): void => settle(signal.reason);
    const timer = setTimeout(() => settle(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    asked.on("error", settle);
    asked.once("upgrade", (answer: IncomingMessage, upgraded: Duplex, head: Buffer) => {
      const spoken = answer.headers.upgrade;
      if (head.length > 0) upgraded.unshift(head);
      if (spoken === upgradeToken) settle();
      else settle(tunnelError("E_TUNNEL_PROTOCOL", `${where} answered with ${JSON.stringify(spoken)}`));
    });
    asked.once("response", (answer: IncomingMessage) => void readRefusal(answer, where).then(settle, settle));
    asked.end();
  });
}

async function readRefusal(answer: IncomingMessage, where: string): Promise<TunnelError> {
  let body = "";
  for await (const piece of answer.setEncoding("utf8")) {
    body += String(piece);
    if (body.length > maxRefusalBytes) break;
  }
  return (
    parseRefusal(body) ??
    // Perhaps a proxy in front of a manager that restarts: not final, as E_TUNNEL_PROTOCOL would be.
    tunnelError(
      "E_TUNNEL_UNREACHABLE",
      `${where} answered ${answer.statusCode} without a reason: not a Clew manager?`,
    )
  );
}
