import { randomBytes } from "node:crypto";
import type { SessionGrant, SessionInfo } from "@clew/control";
import type { SessionCredentials } from "@clew/tunnel";
import type { Core } from "./core.ts";
import { contended } from "./delete-record.ts";
import { limitReached, ManagerError } from "./manager-error.ts";
import { randomName } from "./random-name.ts";
import { formatRecord, parseRecord, recordKey, type SessionRecord } from "./records.ts";
import { hashSecret, isSecret } from "./secret.ts";

export interface Sessions {
  open(args: { readonly owner: string; readonly host: string }): Promise<SessionGrant>;
  /** Throws `E_SESSION_UNKNOWN`, `E_SESSION_TOKEN`. */
  resume(args: { readonly session: string; readonly token: string }): Promise<SessionGrant>;
  close(args: { readonly session: string; readonly token: string }): Promise<void>;
  list(): readonly SessionInfo[];
  /** The session that this token proves. Throws `E_SESSION_UNKNOWN`, `E_SESSION_TOKEN`. */
  verify(session: string, token: string): Promise<SessionRecord>;
  /** For the relay, which asks at each dial and must not wait. */
  check(credentials: SessionCredentials): "ok" | "unknown-session" | "wrong-token" | "old-epoch";
}

/** Attempts against other writers of one session, of which there are at most a few: its two managers and its developer. */
const maxAttempts = 10;

export function createSessions(core: Core): Sessions {
  const { registry, directory, clock, limits } = core;
  const { view } = directory;

  const find = async (id: string): Promise<SessionRecord> => {
    const seen = view.sessions.get(id);
    if (seen) return seen;
    // Another manager may have opened it a moment ago.
    const entry = await registry.get(recordKey("sessions", id));
    if (!entry) throw sessionUnknown(id);
    return parseRecord("sessions", entry.value);
  };

  const verify = async (id: string, token: string): Promise<SessionRecord> => {
    const record = await find(id);
    if (isSecret(token, record.tokenHash)) return record;
    throw new ManagerError("E_SESSION_TOKEN", `The token is not that of session ${id}.`, {
      hint: "Only the process that opened a session holds its token; open a session of your own.",
    });
  };

  return {
    verify,

    async open({ owner, host }) {
      if (view.sessions.size >= limits.maxSessions) {
        throw limitReached(
          "maxSessions",
          limits.maxSessions,
          "sessions",
          "Close sessions that nobody uses: clew list.",
        );
      }
      const token = randomBytes(32).toString("base64url");
      const lease = await registry.lease(limits.sessionLeaseMs);
      const record: SessionRecord = {
        id: randomName(),
        owner,
        host,
        openedAt: clock.now(),
        epoch: 1,
        tokenHash: hashSecret(token),
        lease: lease.id,
        relay: core.relay,
        connected: false,
      };
      await putSession(core, record, 0);
      core.log.info({ event: "session.open", session: record.id, owner, host }, "A session was opened.");
      return grant(record, token, limits.sessionLeaseMs);
    },

    async resume({ session, token }) {
      const { lease: id } = await verify(session, token);
      const lease = await registry.findLease(id);
      if (!(await lease?.keepAlive())) throw sessionUnknown(session);
      const record = await updateSession(core, session, (current) => ({
        ...current,
        epoch: current.epoch + 1,
        relay: core.relay,
      }));
      if (!record) throw sessionUnknown(session);
      return grant(record, token, limits.sessionLeaseMs);
    },

    async close({ session, token }) {
      const record = await verify(session, token);
      await deleteWhole(core, session);
      // Takes with it an override that another call made meanwhile; none can be made any more.
      await (await registry.findLease(record.lease))?.revoke();
      core.log.info({ event: "session.close", session, owner: record.owner }, "A session was closed.");
    },

    list() {
      return [...view.sessions.values()].map((record) => ({
        id: record.id,
        owner: record.owner,
        host: record.host,
        openedAt: record.openedAt,
        state: record.connected ? ("connected" as const) : ("away" as const),
        leaseRemainingMs: leaseRemainingMs(core, record.id),
      }));
    },

    check({ session, token, epoch }) {
      const record = view.sessions.get(session);
      if (!record) return "unknown-session";
      if (!isSecret(token, record.tokenHash)) return "wrong-token";
      return epoch < record.epoch ? "old-epoch" : "ok";
    },
  };
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
    const { overrides, rules } = directory.view;
    const result = await registry.transaction({
      compare: [{ key, revision: entry.revision }],
      deletes: [
        key,
        recordKey("beats", id),
        ...overrides.ofSession(id).map((override) => recordKey("overrides", override.id)),
        ...rules.ofSession(id).map((rule) => recordKey("rules", rule.id)),
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

function grant({ id, epoch }: SessionRecord, token: string, leaseMs: number): SessionGrant {
  return { session: id, token, epoch, leaseMs };
}
