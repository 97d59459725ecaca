import type { RoutingKeyGrant } from "@clew/control";
import { createServer, type ForrstServer } from "@clew/rpc";
import type { Logger } from "pino";
import type { Access } from "./access.ts";
import type { Decisions } from "./decisions.ts";
import { describedApi as api } from "./described-api.ts";
import type { Overrides } from "./overrides.ts";
import type { Previews } from "./previews/previews.ts";
import type { SessionRecord } from "./records.ts";
import { toRpcError } from "./rescue.ts";
import type { RouteKeyRequest } from "./routes.ts";
import type { Rules } from "./rules.ts";
import type { Services } from "./services.ts";
import type { Sessions } from "./sessions.ts";
import type { Tables } from "./tables.ts";
import type { Wiretaps } from "./wiretaps.ts";

export interface ApiParts {
  readonly sessions: Sessions;
  readonly services: Services;
  readonly overrides: Overrides;
  readonly rules: Rules;
  readonly wiretaps: Wiretaps;
  readonly routeKey: (request: RouteKeyRequest) => RoutingKeyGrant;
  readonly previews: Previews;
  readonly tables: Tables;
  readonly decisions: Decisions;
  readonly access: Access;
  readonly log: Logger;
  /** How long `close` waits for calls under way. */
  readonly drainMs: number;
  readonly health: { readonly version: string; readonly startedAt: number; readonly environment: string };
  readonly isHealthy: () => boolean;
}

/** The manager's functions: each line joins a contract of `control` to the part that does the work. */
export function createApi(parts: ApiParts): ForrstServer {
  const { access, log } = parts;
  const server = createServer({
    service: "clew-manager",
    drainMs: parts.drainMs,
    admit(request) {
      const refusal = access.refuseRequest(request) ?? access.refuseToken(request);
      if (refusal) throw refusal;
    },
    rescue: toRpcError,
    onInternalError: (error, { function: name, id }) =>
      log.error(
        { event: "manager.fault", function: name, call: id, err: error },
        "A call failed for a reason that nobody foresaw.",
      ),
  });
  addSessions(server, parts);
  addOverridesAndRules(server, parts);
  addWiretaps(server, parts);
  addRoutesAndPreviews(server, parts);
  addWatched(server, parts);
  return server;
}

function addSessions(server: ForrstServer, parts: ApiParts): void {
  const { sessions, services, overrides, previews, health, isHealthy } = parts;
  server
    .implement(api.sessions.open, (args) => sessions.open(args))
    .implement(api.sessions.resume, (args) => sessions.resume(args))
    .implement(api.sessions.close, async (args) => {
      const left = overrides.list({ session: args.session });
      await sessions.close(args);
      await previews.forget(left);
      return {};
    })
    .implement(api.sessions.list, () => ({ sessions: sessions.list() }))
    .implement(api.services.list, () => ({ services: services.list() }))
    .implement(api.services.describe, ({ service }) => services.describe(service))
    .implement(api.health, () => ({ status: isHealthy() ? "ok" : "degraded", ...health }));
}

function addOverridesAndRules(server: ForrstServer, parts: ApiParts): void {
  const { sessions, overrides, rules, previews } = parts;
  server
    .implement(api.overrides.put, async ({ session, token, override, takeover = false }) =>
      overrides.put(await sessions.verify(session, token), override, { takeover }),
    )
    .implement(api.overrides.delete, async ({ id, ...proof }) => {
      await previews.forget([await overrides.delete(id, await maker(sessions, proof))]);
      return {};
    })
    .implement(api.overrides.list, (filter) => ({ overrides: overrides.list(filter) }))
    .implement(api.rules.put, async ({ session, token, rule, takeover = false }) => ({
      rule: await rules.put(await sessions.verify(session, token), rule, { takeover }),
    }))
    .implement(api.rules.delete, async ({ id, ...proof }) => {
      await rules.delete(id, await maker(sessions, proof));
      return {};
    })
    .implement(api.rules.list, (filter) => ({ rules: rules.list(filter) }));
}

function addWiretaps(server: ForrstServer, { sessions, wiretaps }: ApiParts): void {
  server
    .implement(api.wiretaps.put, async ({ session, token, wiretap }) => ({
      wiretap: await wiretaps.put(await sessions.verify(session, token), wiretap),
    }))
    .implement(api.wiretaps.delete, async ({ id, ...proof }) => {
      await wiretaps.delete(id, await maker(sessions, proof));
      return {};
    })
    .implement(api.wiretaps.list, (filter) => ({ wiretaps: wiretaps.list(filter) }))
    .implement(api.wiretaps.report, ({ agent, wiretaps: counts }) => {
      wiretaps.report(agent, counts);
      return {};
    });
}

/** Undefined without a session: then it is an operator's word, for which the manager's own token stands. */
async function maker(
  sessions: Sessions,
  { session, token }: { readonly session?: string | undefined; readonly token?: string | undefined },
): Promise<SessionRecord | undefined> {
  return session === undefined ? undefined : await sessions.verify(session, token ?? "");
}

function addRoutesAndPreviews(server: ForrstServer, { previews, routeKey }: ApiParts): void {
  server
    .implement(api.routes.key, (args) => routeKey(args))
    .implement(api.previews.create, async (args) => ({ preview: await previews.create(args) }))
    .implement(api.previews.extend, async ({ slug, expiresInMs }) => ({
      preview: await previews.extend(slug, expiresInMs),
    }))
    .implement(api.previews.revoke, async ({ slug }) => {
      await previews.revoke(slug);
      return {};
    })
    .implement(api.previews.show, ({ slug, withLink }) => previews.show(slug, { withLink }))
    .implement(api.previews.list, (filter) => ({ previews: previews.list(filter) }))
    .implement(api.previews.visits, ({ visits }) => {
      previews.addVisits(visits);
      return {};
    })
    .implement(api.previews.revokeVisitor, async ({ slug, visitor }) => {
      await previews.revokeVisitor(slug, visitor);
      return {};
    })
    .implementStream(api.previews.watch, ({ gateway }, { signal }) => previews.watch(gateway, signal));
}

function addWatched(server: ForrstServer, { tables, services, decisions }: ApiParts): void {
  server
    .implementStream(api.tables.watch, async function* ({ service, agent }, { signal }) {
      const unregister = await services.register(service, agent);
      try {
        yield* tables.watch(service, signal);
      } finally {
        unregister();
      }
    })
    .implement(api.decisions.report, ({ decisions: reports }) => {
      decisions.report(reports);
      return {};
    })
    .implementStream(api.decisions.watch, ({ nonce }, { signal }) => decisions.watch(nonce, signal));
}
