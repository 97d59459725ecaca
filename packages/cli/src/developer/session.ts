import type { ManagerClient, OverrideGrant, OverrideRequest, SessionGrant } from "@clew/control";
import { type ClewError, isClewError } from "@clew/errors";
import { startTunnel, type Tunnel, type TunnelState } from "@clew/tunnel";
import { CliError } from "../errors.ts";

export interface SessionOptions {
  readonly client: ManagerClient;
  readonly managerUrl: string;
  readonly owner: string;
  readonly host: string;
  readonly override: OverrideRequest & {
    readonly target: { readonly kind: "tunnel"; readonly port: number };
  };
  readonly takeover: boolean;
  onTunnelState(state: TunnelState): void;
  /** The manager had forgotten the session, and what it gave for the override made again has another key. */
  onGrant(grant: OverrideGrant): void;
}

export interface DeveloperSession {
  readonly tunnel: Tunnel;
  readonly grant: OverrideGrant;
  /** Resolves once the tunnel stands, or when `limitMs` has passed without. */
  connected(limitMs: number): Promise<boolean>;
  /** Resolves with the reason when the intercept ends without being asked to: taken away, or refused for good. */
  readonly lost: Promise<string>;
  /** Takes the override away, lets running requests finish, then closes. */
  close(graceMs: number): Promise<void>;
}

/** How often the manager is asked whether the override is still there. */
const checkIntervalMs = 2_000;

/**
 * Opens a session, makes the override and keeps both: the tunnel reconnects by itself, and when the manager has
 * forgotten the session in the meantime, a new one is opened and the override made again.
 */
export async function openSession(options: SessionOptions): Promise<DeveloperSession> {
  const { client, owner, host, override } = options;
  let session = await client.sessions.open({ owner, host });
  let grant: OverrideGrant;
  try {
    grant = await putOverride(options, session);
  } catch (error) {
    await closeQuietly(client, session);
    throw error;
  }
  let lose: (reason: string) => void = () => {};
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  let connect: () => void = () => {};
  const connected = new Promise<true>((resolve) => {
    connect = () => resolve(true);
  });
  let dialled = false;
  let closing: Promise<void> | undefined;
  const authenticate = async (): Promise<SessionGrant> => {
    if (closing) throw isClosing();
    if (dialled) {
      const renewed = await renewSession(options, session);
      session = renewed.session;
      if (closing) {
        await closeQuietly(client, session);
        throw isClosing();
      }
      if (renewed.grant) {
        grant = renewed.grant;
        if (grant.keyExpiresAt !== undefined) options.onGrant(grant);
      }
    }
    dialled = true;
    return session;
  };
  const { hostname, port } = new URL(options.managerUrl);
  const tunnel = startTunnel({
    manager: { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) },
    authenticate,
    isOffered: (asked) => asked === override.target.port,
    onState: (state) => {
      if (state.phase === "connected") connect();
      if (state.phase === "closed") lose(state.reason);
      if (closing === undefined) options.onTunnelState(state);
    },
  });
  const check = setInterval(() => {
    void isGone(client, session, () => grant).then((gone) => {
      if (gone) lose(`the override of ${override.service} was removed`);
    });
  }, checkIntervalMs);
  // First the override, so that new requests go to the live service; then what runs may finish; then the session,
  // which would otherwise be dialled for again and its override made again.
  const end = async (graceMs: number): Promise<void> => {
    clearInterval(check);
    await deleteQuietly(client, session, grant.override.id);
    await tunnel.close({ graceMs });
    await closeQuietly(client, session);
  };
  return {
    tunnel,
    get grant() {
      return grant;
    },
    connected: (limitMs) => {
      const late = new Promise<false>((resolve) => setTimeout(resolve, limitMs, false).unref());
      return Promise.race([connected, late]);
    },
    lost,
    close: (graceMs) => {
      closing ??= end(graceMs);
      return closing;
    },
  };
}

function putOverride(
  { client, override, takeover }: SessionOptions,
  session: SessionGrant,
): Promise<OverrideGrant> {
  return client.overrides.put({ session: session.session, token: session.token, override, takeover });
}

/** The session as it is after an interruption: resumed, or opened anew with its override made again. */
async function renewSession(
  options: SessionOptions,
  { session, token }: SessionGrant,
): Promise<{ session: SessionGrant; grant?: OverrideGrant }> {
  const { client, owner, host } = options;
  try {
    return { session: await client.sessions.resume({ session, token }) };
  } catch (error) {
    if (!isClewError(error) || error.code !== "E_SESSION_UNKNOWN") throw error;
  }
  const opened = await client.sessions.open({ owner, host });
  try {
    return { session: opened, grant: await putOverride(options, opened) };
  } catch (error) {
    await closeQuietly(client, opened);
    throw isClewError(error) && error.code === "E_SERVICE_UNKNOWN" ? agentsNotBackYet(error) : error;
  }
}

/** A manager without its state knows of a service once its agents have come back, which may be after this session. */
function agentsNotBackYet(cause: ClewError): CliError {
  return new CliError(cause.code, cause.message, { retryable: true, cause });
}

/** Whether the manager, asked, no longer has the override although it still has the session. */
async function isGone(
  client: ManagerClient,
  { session }: SessionGrant,
  grant: () => OverrideGrant,
): Promise<boolean> {
  try {
    const asked = grant().override.id;
    const { overrides } = await client.overrides.list({ session });
    if (overrides.some(({ id }) => id === asked)) return false;
    const { sessions } = await client.sessions.list({});
    return sessions.some(({ id }) => id === session) && grant().override.id === asked;
  } catch {
    return false; // no answer is no evidence: the tunnel sees to reconnecting
  }
}

/** Final for the tunnel: it does not dial again. */
function isClosing(): CliError {
  return new CliError("E_INTERCEPT_ENDED", "the intercept is ending");
}

/** Best effort, as {@link closeQuietly}. */
async function deleteQuietly(
  client: ManagerClient,
  { session, token }: SessionGrant,
  id: string,
): Promise<void> {
  try {
    await client.overrides.delete({ session, token, id });
  } catch {
    // it is gone already, or ends with its session
  }
}

/** Best effort: if the manager is away, the lease ends the session instead. */
async function closeQuietly(client: ManagerClient, { session, token }: SessionGrant): Promise<void> {
  try {
    await client.sessions.close({ session, token });
  } catch {
    // see above
  }
}
