import { isRouteName } from "@clew/context";
import type { OverrideFilter, OverrideGrant, OverrideRequest } from "@clew/control";
import type { Override } from "@clew/routing";
import type { Claim } from "./claim.ts";
import type { Core } from "./core.ts";
import { deleteRecord } from "./delete-record.ts";
import { ManagerError } from "./manager-error.ts";
import { resolveTarget } from "./override-target.ts";
import { randomName } from "./random-name.ts";
import type { SessionRecord } from "./records.ts";
import { routingKey } from "./routing-key.ts";
import type { Services } from "./services.ts";
import { atRelay } from "./tables.ts";

export interface Overrides {
  /**
   * Makes an override, or changes the one that the same session has for the same route, service and port.
   * Throws `E_ROUTE_NAME`, `E_SERVICE_UNKNOWN`, `E_PORT_UNKNOWN`, `E_TARGET_…`, `E_ROUTE_TAKEN`, `E_LIMIT`.
   */
  put(
    session: SessionRecord,
    request: OverrideRequest,
    options: { readonly takeover: boolean },
  ): Promise<OverrideGrant>;
  /** With a session: only its own. Throws `E_OVERRIDE_UNKNOWN`. */
  delete(id: string, session: SessionRecord | undefined): Promise<void>;
  list(filter: OverrideFilter): readonly Override[];
  /** Whether one of the session's sends requests to this port of the developer's machine. */
  offers(session: string, port: number): boolean;
}

export function createOverrides(core: Core, services: Services, claim: Claim): Overrides {
  const { clock, log } = core;
  const { view } = core.directory;

  return {
    async put(session, request, { takeover }) {
      const { route, service } = request;
      assertRouteName(route);
      const port = services.resolvePort(service, request.port);
      const target = resolveTarget(request.target, session);
      const override = await claim<Override>({
        service,
        session,
        takeover,
        candidate() {
          const own = view.overrides
            .ofSession(session.id)
            .find((other) => other.route === route && other.service === service && other.port === port);
          return {
            id: own?.id ?? randomName(),
            route,
            service,
            port,
            target,
            owner: session.owner,
            session: session.id,
            createdAt: own?.createdAt ?? clock.now(),
            onFailure: request.onFailure ?? "live",
          };
        },
      });
      log.info(
        { event: "override.put", override: override.id, route, service, port, owner: session.owner },
        "An override was made.",
      );
      return { override: atRelay(view, override), key: routingKey(route) };
    },

    async delete(id, session) {
      const override = view.overrides.byId.get(id);
      if (!override || (session && override.session !== session.id))
        throw overrideUnknown("override", id, session);
      await deleteRecord(core, "overrides", id);
      log.info(
        { event: "override.delete", override: id, owner: override.owner, bySession: session?.id },
        "An override was deleted.",
      );
    },

    list({ service, route, session }) {
      const candidates =
        service === undefined ? [...view.overrides.byId.values()] : view.overrides.ofService(service);
      return candidates
        .filter((override) => route === undefined || override.route === route)
        .filter((override) => session === undefined || override.session === session)
        .map((override) => atRelay(view, override))
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },

    offers: (session, port) =>
      view.overrides.ofSession(session).some((override) => reachesPort(override, port)),
  };
}

/** Throws `E_ROUTE_NAME`. */
export function assertRouteName(route: string): void {
  if (isRouteName(route)) return;
  throw new ManagerError("E_ROUTE_NAME", `"${route}" cannot be the name of a route.`, {
    hint: "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit.",
  });
}

export function overrideUnknown(
  what: "override" | "rule",
  id: string,
  session: SessionRecord | undefined,
): ManagerError {
  const whose = session ? `Session ${session.id} has` : "There is";
  return new ManagerError("E_OVERRIDE_UNKNOWN", `${whose} no ${what} ${id}.`, {
    hint: "clew list shows those that exist; each ends with its session.",
  });
}

export function reachesPort({ target }: Override, port: number): boolean {
  return target.kind === "tunnel" && target.port === port;
}
