export { createRelay } from "./create-relay.ts";
export type { TunnelLostEvent, TunnelRefusedEvent } from "./diagnostics.ts";
export { defaultTunnelLimits, type TunnelLimits } from "./limits.ts";
export { createSessionDialer, type SessionDialerOptions } from "./session-dialer.ts";
export { sniffHttp2 } from "./sniff-http2.ts";
export { startTunnel } from "./start-tunnel.ts";
export { TunnelError, type TunnelErrorCode } from "./tunnel-error.ts";
export { TunnelPipe } from "./tunnel-pipe.ts";
export type {
  Endpoint,
  Relay,
  RelayHooks,
  SessionCredentials,
  SessionDialer,
  Tunnel,
  TunnelOptions,
  TunnelState,
} from "./types.ts";
