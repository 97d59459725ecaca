import type { ForrstServer } from "@clew/rpc";
import { createRelay, type Relay } from "@clew/tunnel";
import { type Access, createAccess } from "./access.ts";
import { createApi } from "./api.ts";
import { createClaim } from "./claim.ts";
import type { Core } from "./core.ts";
import { createDecisions } from "./decisions.ts";
import { Overrides } from "./overrides.ts";
import { Previews } from "./previews/previews.ts";
import { issueRouteKey } from "./routes.ts";
import { Rules } from "./rules.ts";
import { Services } from "./services.ts";
import { createSessionLife, type SessionLife } from "./session-life.ts";
import { Sessions } from "./sessions.ts";
import { createTables } from "./tables.ts";
import { Wiretaps } from "./wiretaps.ts";

/** What the listener hands connections to, and what a shutdown ends. */
export interface ManagerParts {
  readonly access: Access;
  readonly rpc: ForrstServer;
  readonly relay: Relay;
  readonly life: SessionLife;
  readonly previews: Previews;
}

export interface PartsOptions {
  readonly environment: string;
  readonly token?: string | undefined;
  readonly version?: string | undefined;
}

/** Joins the parts to each other: the API to those who do the work, the relay to the sessions whose life it sees. */
export function createParts(
  core: Core,
  { environment, token, version = "0.0.0" }: PartsOptions,
): ManagerParts {
  const { directory, clock, limits, log } = core;
  const access = createAccess(token);
  const sessions = new Sessions(core);
  const services = new Services(core);
  const claim = createClaim(core);
  const overrides = new Overrides(core, services, claim);
  const rules = new Rules(core, services, claim);
  const wiretaps = new Wiretaps(core, services);
  const previews = new Previews(core);
  const life = createSessionLife(core, (session) => relay.isConnected(session));
  const relay = createRelay({
    authenticateSession: (credentials) => sessions.check(credentials),
    authenticateAgent: access.isToken,
    isOffered: (session, port) =>
      [overrides, rules, wiretaps].some((records) => records.offers(session, port)),
    resolveService: (service, port) => services.resolve(service, port),
    onSignOfLife: life.seen,
    onConnected: life.changed,
    onDisconnected: life.changed,
  });
  directory.onChange(({ ended }) => {
    for (const session of ended) {
      log.info({ event: "session.end", session }, "A session is gone, and its overrides with it.");
      relay.disconnect(session);
    }
  });
  // Sessions that an earlier run of this manager left as connected are away until they dial again.
  for (const { id, relay: holder } of directory.view.sessions.values())
    if (holder === core.relay) life.changed(id);
  const rpc = createApi({
    sessions,
    services,
    overrides,
    rules,
    wiretaps,
    routeKey: (request) => issueRouteKey(core, request),
    previews,
    tables: createTables(core),
    decisions: createDecisions(clock, limits),
    access,
    log,
    drainMs: limits.closeGraceMs,
    isHealthy: () => directory.following,
    health: { version, startedAt: clock.now(), environment },
  });
  return { access, rpc, relay, life, previews };
}
