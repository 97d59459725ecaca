import { findConflict, type Override, type Rule } from "@clew/routing";
import { conflictError, isLeftBehind, mayTakeOver } from "./conflict-error.ts";
import type { Core } from "./core.ts";
import { contended } from "./delete-record.ts";
import { limitReached, ManagerError } from "./manager-error.ts";
import { formatRecord, recordKey, type SessionRecord } from "./records.ts";
import { maxTransactionOperations } from "./registry/registry.ts";
import { createSerial } from "./serial.ts";
import { sessionUnknown } from "./sessions.ts";
import { storedTable } from "./tables.ts";

interface ClaimRequest<Candidate extends Override | Rule> {
  readonly service: string;
  readonly session: SessionRecord;
  /** Take out what is in the way, where that is allowed. What the owner left behind goes in any case. */
  readonly takeover: boolean;
  /** Made anew at each attempt, so that it can take the place of what the session already has. */
  candidate(): Candidate;
}

export type Claim = <Candidate extends Override | Rule>(
  request: ClaimRequest<Candidate>,
) => Promise<Candidate>;

/** Attempts against other managers: each time one of them wins, the next look is at what it wrote. */
const maxAttempts = 20;

/**
 * Makes an override or rule so that no two that conflict can both be made, even by two managers at once: what the conflict
 * check saw is tied by a compare to the service's guard key, which each creation bumps.
 *
 * Throws `E_ROUTE_TAKEN`, `E_RULE_CONFLICT`, `E_SESSION_UNKNOWN`, `E_LIMIT`, `E_REGISTRY_CONTENDED`.
 */
export function createClaim(core: Core): Claim {
  // Without it, calls of one manager would only run into each other's guard.
  const serial = createSerial();
  return (request) => serial.run(request.service, () => attempt(core, request));
}

async function attempt<Candidate extends Override | Rule>(
  core: Core,
  request: ClaimRequest<Candidate>,
): Promise<Candidate> {
  const { registry, directory } = core;
  const { service, session } = request;
  const guardKey = recordKey("guards", service);
  const sessionKey = recordKey("sessions", session.id);
  for (let attempts = 0; attempts < maxAttempts; attempts++) {
    const [guard, owner] = await Promise.all([registry.get(guardKey), registry.get(sessionKey)]);
    if (!owner) throw sessionUnknown(session.id);
    await directory.reached(Math.max(guard?.revision ?? 0, owner.revision));
    const candidate = request.candidate();
    assertRoom(core, session.id, candidate);
    const taken = clearTheWay(core, request, candidate);
    const result = await registry.transaction({
      compare: [
        { key: guardKey, revision: guard?.revision ?? 0 },
        { key: sessionKey, revision: owner.revision },
      ],
      puts: [
        { ...entryOf(candidate), lease: session.lease },
        { key: guardKey, value: formatRecord("guards", {}) },
      ],
      deletes: taken.map((other) => entryOf(other).key),
    });
    if (!result.ok) continue;
    await directory.reached(result.revision);
    for (const other of taken) logTakeover(core, other, candidate);
    return candidate;
  }
  throw contended(`The guard of service ${service}`);
}

/** What the candidate takes the place of. Throws when that is not its to take. */
function clearTheWay(
  core: Core,
  request: ClaimRequest<Override | Rule>,
  candidate: Override | Rule,
): Array<Override | Rule> {
  const table = storedTable(core.directory, request.service);
  const taken = new Map<string, Override | Rule>();
  // Two compares and two puts are in the same transaction.
  while (taken.size < maxTransactionOperations - 4) {
    const conflict = findConflict(candidate, {
      ...table,
      overrides: table.overrides.filter(({ id }) => !taken.has(id)),
      rules: table.rules.filter(({ id }) => !taken.has(id)),
    });
    if (!conflict) return [...taken.values()];
    const { view } = core.directory;
    const { owner } = request.session;
    const allowed = mayTakeOver(view, owner, conflict);
    if (!(request.takeover && allowed) && !isLeftBehind(view, owner, conflict)) {
      throw conflictError(core, candidate, conflict, { asked: request.takeover, allowed });
    }
    const other = conflict.rule ?? conflict.override;
    taken.set(other.id, other);
  }
  throw new ManagerError(
    "E_LIMIT",
    `More than ${taken.size} others are in the way, too many to take over at once.`,
    {
      hint: "Narrow the conditions.",
    },
  );
}

/** Throws `E_LIMIT` when the session has as many records as it may, and this is a new one. */
export function assertRoom(
  { directory: { view }, limits }: Core,
  session: string,
  candidate: Pick<Override, "id">,
): void {
  const kinds = [view.overrides, view.rules, view.wiretaps];
  if (kinds.some(({ byId }) => byId.has(candidate.id))) return;
  const count = kinds.reduce((sum, kind) => sum + kind.ofSession(session).length, 0);
  if (count < limits.maxOverridesPerSession) return;
  throw limitReached(
    "maxOverridesPerSession",
    limits.maxOverridesPerSession,
    "overrides, rules and wiretaps of this session",
    "Leave some of them, or open another session.",
  );
}

function entryOf(record: Override | Rule): { readonly key: string; readonly value: string } {
  return "conditions" in record
    ? { key: recordKey("rules", record.id), value: formatRecord("rules", record) }
    : { key: recordKey("overrides", record.id), value: formatRecord("overrides", record) };
}

function logTakeover({ log }: Core, other: Override | Rule, candidate: Override | Rule): void {
  log.warn(
    {
      event: "override.takeover",
      service: candidate.service,
      port: candidate.port,
      taken: other.id,
      takenFrom: other.owner,
      by: candidate.owner,
      override: candidate.id,
    },
    "An override was taken over.",
  );
}
