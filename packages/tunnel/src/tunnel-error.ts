import { ClewError } from "@clew/errors";

export type TunnelErrorCode =
  | "E_TUNNEL_UNAUTHENTICATED"
  | "E_TUNNEL_NO_SESSION"
  | "E_TUNNEL_SESSION_AWAY"
  | "E_TUNNEL_OLD_EPOCH"
  | "E_TUNNEL_REPLACED"
  | "E_TUNNEL_PORT_NOT_OFFERED"
  | "E_TUNNEL_PORT_CLOSED"
  | "E_TUNNEL_NO_SERVICE"
  | "E_TUNNEL_SERVICE_UNREACHABLE"
  | "E_TUNNEL_DRAINING"
  | "E_TUNNEL_STREAMS"
  | "E_TUNNEL_TIMEOUT"
  | "E_TUNNEL_UNREACHABLE"
  | "E_TUNNEL_PROTOCOL"
  | "E_TUNNEL_RESET"
  | "E_TUNNEL_CLOSED";

interface Meaning {
  /** What a refusal with this code is answered with. */
  readonly status: number;
  readonly retryable: boolean;
  readonly hint: string;
}

const meanings: Readonly<Record<TunnelErrorCode, Meaning>> = {
  E_TUNNEL_UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    hint: "Check that both sides were given the same manager token.",
  },
  E_TUNNEL_NO_SESSION: {
    status: 404,
    retryable: false,
    hint: "The session has ended; start the intercept again.",
  },
  E_TUNNEL_SESSION_AWAY: {
    status: 503,
    retryable: true,
    hint: "The developer's machine is not connected; see `clew status` there.",
  },
  E_TUNNEL_OLD_EPOCH: {
    status: 409,
    retryable: false,
    hint: "The session was resumed elsewhere since; resume it again to take it back.",
  },
  E_TUNNEL_REPLACED: {
    status: 409,
    retryable: false,
    hint: "Another process holds this session now; end one of the two.",
  },
  E_TUNNEL_PORT_NOT_OFFERED: {
    status: 403,
    retryable: false,
    hint: "Only ports that an intercept names can be reached.",
  },
  E_TUNNEL_PORT_CLOSED: {
    status: 502,
    retryable: true,
    hint: "Start the service on that port of the developer's machine, on 127.0.0.1 or ::1.",
  },
  E_TUNNEL_NO_SERVICE: {
    status: 404,
    retryable: false,
    hint: "See the names and ports that exist with `clew list`.",
  },
  E_TUNNEL_SERVICE_UNREACHABLE: {
    status: 502,
    retryable: true,
    hint: "Check that the service's agent runs and that the manager can reach it.",
  },
  E_TUNNEL_DRAINING: { status: 503, retryable: true, hint: "Try again: it is about to end or restart." },
  E_TUNNEL_STREAMS: {
    status: 429,
    retryable: true,
    hint: "End some connections, or raise the limit that the message names.",
  },
  E_TUNNEL_TIMEOUT: {
    status: 504,
    retryable: true,
    hint: "Check the network to the developer's machine.",
  },
  E_TUNNEL_UNREACHABLE: {
    status: 502,
    retryable: true,
    hint: "Check that the manager runs and that its address is reachable from here.",
  },
  E_TUNNEL_PROTOCOL: {
    status: 400,
    retryable: false,
    hint: "Check that the address is a Clew manager's, and that both sides have the same version.",
  },
  E_TUNNEL_RESET: { status: 502, retryable: true, hint: "The other side broke the connection; try again." },
  E_TUNNEL_CLOSED: { status: 503, retryable: false, hint: "It was closed by its owner; create a new one." },
};

/** Why a byte pipe was not opened, or broke; or why a tunnel cannot be served. */
export class TunnelError extends ClewError {}

export function tunnelError(code: TunnelErrorCode, message: string, cause?: unknown): TunnelError {
  const { retryable, hint } = meanings[code];
  return new TunnelError(code, message, { retryable, hint, cause });
}

/** The HTTP status that a refusal is answered with; 502 for a code of a newer version that is only handed on. */
export function statusOf(error: TunnelError): number {
  return Object.hasOwn(meanings, error.code) ? meanings[error.code as TunnelErrorCode].status : 502;
}

/** Longest text that is taken over from the other side: a refusal has to fit one header line. */
const maxTextLength = 500;

/** A refusal as JSON, in ASCII, so that it can stand in a header, a body or a GOAWAY frame. */
export function serializeRefusal(error: TunnelError): string {
  const { code, retryable } = error;
  const text = (value: string | undefined): string | undefined => value?.slice(0, maxTextLength);
  const json = JSON.stringify({ code, message: text(error.message), hint: text(error.hint), retryable });
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Reads what {@link serializeRefusal} wrote, possibly by another version. Undefined for anything else; never throws. */
export function parseRefusal(json: string | undefined): TunnelError | undefined {
  if (json === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Safe: whoever sent this is no Clew relay, and the caller says so.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { code, message, hint, retryable } = value as Record<string, unknown>;
  if (typeof code !== "string" || !/^E_[A-Z0-9_]{1,60}$/.test(code) || typeof message !== "string")
    return undefined;
  return new TunnelError(code, message.slice(0, maxTextLength), {
    retryable: retryable === true,
    hint: typeof hint === "string" ? hint.slice(0, maxTextLength) : undefined,
  });
}

/** What happened, for a message of ours that goes around an error of someone else's. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
