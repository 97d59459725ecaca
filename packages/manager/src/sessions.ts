import { randomBytes } from "node:crypto";
import type { SessionGrant, SessionInfo, SessionProof } from "@clew/control";
import type { RelayHooks, SessionCredentials } from "@clew/tunnel";
import type { Core } from "./core.ts";
import { contended } from "./delete-record.ts";
import { limitReached, ManagerError } from "./manager-error.ts";
import { randomName } from "./random-name.ts";
import { formatRecord, parseRecord, recordKey, type SessionRecord } from "./records.ts";
import { hashSecret, isSecret } from "./secret.ts";

/** Attempts against other writers of one session, of which there are at most a few: its two managers and its developer. */
const maxAttempts = 10;

export class Sessions {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Throws `E_LIMIT`. */
  async open({ owner, host }: { readonly owner: string; readonly host: string }): Promise<SessionGrant> {
    const { registry, clock, log, relay } = this.#core;
    this.#assertRoom();
    const token = randomBytes(32).toString("base64url");
    const { sessionLeaseMs } = this.#core.limits;
    const lease = await registry.lease(sessionLeaseMs);
    const record: SessionRecord = {
      id: randomName(),
      owner,
      host,
      openedAt: clock.now(),
      epoch: 1,
      tokenHash: hashSecret(token),
      lease: lease.id,
      relay,
      connected: false,
    };
    await putSession(this.#core, record, 0);
    log.info({ event: "session.open", session: record.id, owner, host }, "A session was opened.");
    return { session: record.id, token, epoch: record.epoch, leaseMs: sessionLeaseMs };
  }

  /** The next epoch and a full lease. Throws `E_SESSION_UNKNOWN`, `E_SESSION_TOKEN`. */
  async resume({ session, token }: SessionProof): Promise<SessionGrant> {
    const { registry, relay, limits } = this.#core;
    const { lease: id } = await this.verify(session, token);
    const lease = await registry.findLease(id);
    if (!(await lease?.keepAlive())) throw sessionUnknown(session);
    const record = await updateSession(this.#core, session, (current) => ({
      ...current,
      epoch: current.epoch + 1,
      relay,
      // A connection to another manager is no way to reach it through this one.
      connected: current.connected && current.relay === relay,
    }));
    if (!record) throw sessionUnknown(session);
    return { session, token, epoch: record.epoch, leaseMs: limits.sessionLeaseMs };
  }

  /** Its overrides and rules go at once. Throws `E_SESSION_UNKNOWN`, `E_SESSION_TOKEN`. */
  async close({ session, token }: SessionProof): Promise<void> {
    const { registry, log } = this.#core;
    const { lease, owner } = await this.verify(session, token);
    await deleteWhole(this.#core, session);
    // Takes with it an override that another call made meanwhile; none can be made any more.
    await (await registry.findLease(lease))?.revoke();
    log.info({ event: "session.close", session, owner }, "A session was closed.");
  }

  list(): readonly SessionInfo[] {
    return [...this.#core.directory.view.sessions.values()].map(
      ({ id, owner, host, openedAt, connected }) => ({
        id,
        owner,
        host,
        openedAt,
        state: connected ? "connected" : "away",
        leaseRemainingMs: leaseRemainingMs(this.#core, id),
      }),
    );
  }

  /** The session that this token proves. Throws `E_SESSION_UNKNOWN`, `E_SESSION_TOKEN`. */
  async verify(id: string, token: string): Promise<SessionRecord> {
    const record = await this.#find(id);
    if (isSecret(token, record.tokenHash)) return record;
    throw new ManagerError("E_SESSION_TOKEN", `The token is not that of session ${id}.`, {
      hint: "Only the process that opened a session holds its token; open a session of your own.",
    });
  }

  /** For the relay, which asks at each dial and must not wait. */
  check({ session, token, epoch }: SessionCredentials): ReturnType<RelayHooks["authenticateSession"]> {
    const record = this.#core.directory.view.sessions.get(session);
    if (!record) return "unknown-session";
    if (!isSecret(token, record.tokenHash)) return "wrong-token";
    return epoch < record.epoch ? "old-epoch" : "ok";
  }

  async #find(id: string): Promise<SessionRecord> {
    const { registry, directory } = this.#core;
    const seen = directory.view.sessions.get(id);
    if (seen) return seen;
    // Another manager may have opened it a moment ago.
    const entry = await registry.get(recordKey("sessions", id));
    if (!entry) throw sessionUnknown(id);
    return parseRecord("sessions", entry.value);
  }

  #assertRoom(): void {
    const { directory, limits } = this.#core;
    if (directory.view.sessions.size < limits.maxSessions) return;
    throw limitReached("maxSessions", limits.maxSessions, "sessions", "Close some that nobody uses.");
  }
}

/** What is left of a session's lease by this manager's monotonic clock; 0 for a session that is gone. */
export function leaseRemainingMs({ directory, clock, limits }: Core, session: string): number {
  const seenMs = directory.view.lastSeenMs(session);
  if (seenMs === undefined) return 0;
  return Math.max(0, Math.round(limits.sessionLeaseMs - (clock.monotonicMs() - seenMs)));
}

export function sessionUnknown(id: string): ManagerError {
  return new ManagerError(
    "E_SESSION_UNKNOWN",
    `There is no session ${id}: it was closed, or its lease ended.`,
    {
      hint: "Open a new session and make its overrides again.",
    },
  );
}

/** Changes a session against other writers. `change` returns undefined to leave it as it is. Undefined when the session is gone. */
export async function updateSession(
  core: Core,
  id: string,
  change: (current: SessionRecord) => SessionRecord | undefined,
): Promise<SessionRecord | undefined> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const entry = await core.registry.get(recordKey("sessions", id));
    if (!entry) return undefined;
    const current = parseRecord("sessions", entry.value);
    const next = change(current);
    if (!next) return current;
    if (await putSession(core, next, entry.revision)) return next;
  }
  throw contended(`Session ${id}`);
}

/** A session and all that it has, in one transaction, so that agents see it go at once. */
async function deleteWhole({ registry, directory }: Core, id: string): Promise<void> {
  const key = recordKey("sessions", id);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const entry = await registry.get(key);
    if (!entry) return;
    const { overrides, rules, wiretaps } = directory.view;
    const result = await registry.transaction({
      compare: [{ key, revision: entry.revision }],
      deletes: [
        key,
        recordKey("beats", id),
        ...overrides.ofSession(id).map((override) => recordKey("overrides", override.id)),
        ...rules.ofSession(id).map((rule) => recordKey("rules", rule.id)),
        ...wiretaps.ofSession(id).map((wiretap) => recordKey("wiretaps", wiretap.id)),
      ],
    });
    if (result.ok) return await directory.reached(result.revision);
  }
  throw contended(`Session ${id}`);
}

async function putSession(core: Core, record: SessionRecord, ifRevision: number): Promise<boolean> {
  const key = recordKey("sessions", record.id);
  const result = await core.registry.put(key, formatRecord("sessions", record), {
    ifRevision,
    lease: record.lease,
  });
  if (result.ok) await core.directory.reached(result.revision);
  return result.ok;
}
