import type { ServerHttp2Stream } from "node:http2";
import { dialSocket } from "./dial-socket.ts";
import { breakOff, type PipeEnd } from "./join.ts";
import type { TunnelLimits } from "./limits.ts";
import { type TunnelErrorCode, tunnelError } from "./tunnel-error.ts";
import type { RelayHooks, SessionCredentials } from "./types.ts";

/** The sessions' *out* streams that run through a relay, to services' agents. */
export class OutboundStreams {
  readonly #hooks: RelayHooks;
  readonly #limits: TunnelLimits;
  readonly #streams = new Map<string, Set<ServerHttp2Stream>>();

  constructor(hooks: RelayHooks, limits: TunnelLimits) {
    this.#hooks = hooks;
    this.#limits = limits;
  }

  /** Connects a stream's far end, the service's agent. Rejects with the refusal. */
  async open(
    stream: ServerHttp2Stream,
    { session }: SessionCredentials,
    service: string,
    port: string,
    signal: AbortSignal,
  ): Promise<PipeEnd> {
    const endpoint = this.#hooks.resolveService(service, port);
    if (endpoint === undefined) {
      throw tunnelError("E_TUNNEL_NO_SERVICE", `there is no service ${service} with a port ${port}`);
    }
    this.#add(session, stream);
    try {
      return await dialSocket(endpoint, this.#limits.openTimeoutMs, signal);
    } catch (cause) {
      const message = `the agent of ${service}:${port} could not be reached at ${endpoint.host}:${endpoint.port}`;
      throw tunnelError("E_TUNNEL_SERVICE_UNREACHABLE", message, cause);
    }
  }

  reset(session: string): void {
    for (const stream of this.#streams.get(session) ?? []) breakOff(stream, "reset");
  }

  #add(session: string, stream: ServerHttp2Stream): void {
    const streams = this.#streams.get(session) ?? new Set();
    const { maxStreamsPerSession } = this.#limits;
    if (streams.size >= maxStreamsPerSession) {
      const message = `session ${session} has ${maxStreamsPerSession} streams out already (maxStreamsPerSession)`;
      throw tunnelError("E_TUNNEL_STREAMS", message);
    }
    this.#streams.set(session, streams.add(stream));
    stream.once("close", () => {
      streams.delete(stream);
      if (streams.size === 0) this.#streams.delete(session);
    });
  }
}

type Authentication = ReturnType<RelayHooks["authenticateSession"]>;

const refusals: Readonly<Record<Exclude<Authentication, "ok">, readonly [TunnelErrorCode, string]>> = {
  "unknown-session": ["E_TUNNEL_NO_SESSION", "is not known"],
  "wrong-token": ["E_TUNNEL_UNAUTHENTICATED", "has another token"],
  "old-epoch": ["E_TUNNEL_OLD_EPOCH", "was resumed since"],
};

/** Who says to be a session must prove it. Throws the refusal. */
export function authenticateSession(
  hooks: RelayHooks,
  credentials: SessionCredentials | undefined,
): asserts credentials is SessionCredentials {
  if (credentials === undefined) {
    throw tunnelError("E_TUNNEL_UNAUTHENTICATED", "the session's credentials are missing or malformed");
  }
  const result = hooks.authenticateSession(credentials);
  if (result === "ok") return;
  const [code, why] = refusals[result];
  throw tunnelError(code, `session ${credentials.session} ${why}`);
}
