import type { ManagerClient, SessionGrant } from "@clew/control";
import { type ClewError, isClewError } from "@clew/errors";
import type { Override } from "@clew/routing";
import { startTunnel, type Tunnel, type TunnelState } from "@clew/tunnel";
import { CliError } from "../errors.ts";
import type { Claim } from "./claim.ts";

export interface SessionOptions<Grant extends { readonly override: Override }> {
  readonly client: ManagerClient;
  readonly managerUrl: string;
  readonly owner: string;
  readonly host: string;
  readonly claim: Claim<Grant>;
  onTunnelState(state: TunnelState): void;
  /** The manager had forgotten the session, and what was claimed was made again. */
  onGrant(grant: Grant): void;
}

export interface DeveloperSession<Grant> {
  readonly tunnel: Tunnel;
  readonly grant: Grant;
  /** Resolves once the tunnel stands, or when `limitMs` has passed without. */
  connected(limitMs: number): Promise<boolean>;
  /** Resolves with the reason when the intercept ends without being asked to: taken away, or refused for good. */
  readonly lost: Promise<string>;
  /** Takes what was claimed away, lets running requests finish, then closes. */
  close(graceMs: number): Promise<void>;
}

/** How often the manager is asked whether what was claimed is still there. */
const checkIntervalMs = 2_000;

/**
 * Opens a session, makes what is claimed and keeps both: the tunnel reconnects by itself, and when the manager has
 * forgotten the session in the meantime, a new one is opened and the claim made again.
 */
export async function openSession<Grant extends { readonly override: Override }>(
  options: SessionOptions<Grant>,
): Promise<DeveloperSession<Grant>> {
  const { client, owner, host, claim } = options;
  let session = await client.sessions.open({ owner, host });
  let grant: Grant;
  try {
    grant = await claim.make(session);
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
        options.onGrant(grant);
      }
    }
    dialled = true;
    return session;
  };
  const { hostname, port } = new URL(options.managerUrl);
  const tunnel = startTunnel({
    manager: { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) },
    authenticate,
    isOffered: (asked) => asked === claim.port,
    onState: (state) => {
      if (state.phase === "connected") connect();
      if (state.phase === "closed") lose(state.reason);
      if (closing === undefined) options.onTunnelState(state);
    },
  });
  const check = setInterval(() => {
    void isGone(options, session, () => grant).then((gone) => {
      if (gone) lose(`the override of ${claim.service} was removed`);
    });
  }, checkIntervalMs);
  // First what was claimed, so that new requests go to the live service; then what runs may finish; then the session,
  // which would otherwise be dialled for again and its claim made again.
  const end = async (graceMs: number): Promise<void> => {
    clearInterval(check);
    await claim.unmake(session, grant).catch(() => {}); // it is gone already, or ends with its session
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

/** The session as it is after an interruption: resumed, or opened anew with its claim made again. */
async function renewSession<Grant extends { readonly override: Override }>(
  options: SessionOptions<Grant>,
  { session, token }: SessionGrant,
): Promise<{ session: SessionGrant; grant?: Grant }> {
  const { client, owner, host } = options;
  try {
    return { session: await client.sessions.resume({ session, token }) };
  } catch (error) {
    if (!isClewError(error) || error.code !== "E_SESSION_UNKNOWN") throw error;
  }
  const opened = await client.sessions.open({ owner, host });
  try {
    return { session: opened, grant: await options.claim.make(opened) };
  } catch (error) {
    await closeQuietly(client, opened);
    throw isClewError(error) && error.code === "E_SERVICE_UNKNOWN" ? agentsNotBackYet(error) : error;
  }
}

/** A manager without its state knows of a service once its agents have come back, which may be after this session. */
function agentsNotBackYet(cause: ClewError): CliError {
  return new CliError(cause.code, cause.message, { retryable: true, cause });
}

/** Whether the manager, asked, no longer has what was claimed although it still has the session. */
async function isGone<Grant extends { readonly override: Override }>(
  { client, claim }: SessionOptions<Grant>,
  { session }: SessionGrant,
  grant: () => Grant,
): Promise<boolean> {
  try {
    const asked = grant();
    if (await claim.isThere(session, asked)) return false;
    const { sessions } = await client.sessions.list({});
    return sessions.some(({ id }) => id === session) && grant() === asked;
  } catch {
    return false; // no answer is no evidence: the tunnel sees to reconnecting
  }
}

/** Final for the tunnel: it does not dial again. */
function isClosing(): CliError {
  return new CliError("E_INTERCEPT_ENDED", "the intercept is ending");
}

/** Best effort: if the manager is away, the lease ends the session instead. */
async function closeQuietly(client: ManagerClient, { session, token }: SessionGrant): Promise<void> {
  try {
    await client.sessions.close({ session, token });
  } catch {
    // it ends by itself
  }
}
