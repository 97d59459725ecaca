import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { upgradePath, upgradeToken } from "./protocol.ts";
import { serializeRefusal, statusOf, type TunnelError, tunnelError } from "./tunnel-error.ts";

/** Checks the form of an *in* connection's handshake; who asks is checked elsewhere. */
export function checkUpgrade(request: IncomingMessage): TunnelError | undefined {
  const { method, url, headers } = request;
  const path = url?.split("?", 1)[0];
  if (method !== "GET" || path !== upgradePath) {
    return tunnelError("E_TUNNEL_PROTOCOL", `${method} ${path} is not a tunnel; expected GET ${upgradePath}`);
  }
  if (headers.upgrade?.toLowerCase() !== upgradeToken) {
    const asked = JSON.stringify(headers.upgrade);
    return tunnelError("E_TUNNEL_PROTOCOL", `cannot speak ${asked}; this relay speaks ${upgradeToken}`);
  }
  return undefined;
}

export function acceptUpgrade(socket: Duplex): void {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgradeToken}\r\n\r\n`);
}

/** 426 for what this relay does not speak (RFC 9110 §15.5.22), otherwise the code's own status. */
export function refuseUpgrade(socket: Duplex, refusal: TunnelError): void {
  const body = serializeRefusal(refusal);
  const status = refusal.code === "E_TUNNEL_PROTOCOL" ? 426 : statusOf(refusal);
  const head = [
    `HTTP/1.1 ${status} Tunnel Refused`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...(status === 426 ? [`Upgrade: ${upgradeToken}`, "Connection: Upgrade, close"] : ["Connection: close"]),
  ];
  socket.on("error", () => {
    // Safe: it asked, was refused and is gone.
  });
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
