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
import type { Services } from "./services.ts";
import { atRelay } from "./tables.ts";

export class Overrides {
  readonly #core: Core;
  readonly #services: Services;
  readonly #claim: Claim;

  constructor(core: Core, services: Services, claim: Claim) {
    this.#core = core;
    this.#services = services;
    this.#claim = claim;
  }

  /**
   * Makes an override, or changes the one that the same session has for the same route, service and port.
   * Throws `E_ROUTE_NAME`, `E_SERVICE_UNKNOWN`, `E_PORT_UNKNOWN`, `E_PORT_TCP`, `E_TARGET_…`, `E_ROUTE_TAKEN`, `E_LIMIT`.
   */
  async put(
    session: SessionRecord,
    request: OverrideRequest,
    { takeover }: { readonly takeover: boolean },
  ): Promise<OverrideGrant> {
    const { clock, log, directory, keys, limits } = this.#core;
    const { route, service, onFailure = "live" } = request;
    assertRouteName(route);
    const port = this.#services.resolvePort(service, request.port);
    if (this.#services.trafficOf(service, port) === "tcp") throw portIsTcp(service, port);
    const target = resolveTarget(request.target, session);
    const { owner, id: sessionId } = session;
    const candidate = (): Override => {
      const own = directory.view.overrides
        .ofSession(sessionId)
        .find((other) => other.route === route && other.service === service && other.port === port);
      const id = own?.id ?? randomName();
      const createdAt = own?.createdAt ?? clock.now();
      return { id, route, service, port, target, owner, session: sessionId, createdAt, onFailure };
    };
    const override = await this.#claim({ service, session, takeover, candidate });
    log.info(
      { event: "override.put", override: override.id, route, service, port, owner },
      "An override was made.",
    );
    const { key, expiresAt } = keys.issue(route, clock.now() + limits.routingKeyDefaultMs);
    return { override: atRelay(directory.view, override), key, keyExpiresAt: expiresAt };
  }

  /** With a session: only its own. Resolves with what it was. Throws `E_OVERRIDE_UNKNOWN`. */
  async delete(id: string, session: SessionRecord | undefined): Promise<Override> {
    const override = this.#core.directory.view.overrides.byId.get(id);
    const isTheirs = session === undefined || override?.session === session.id;
    if (!override || !isTheirs) throw overrideUnknown("override", id, session);
    await deleteRecord(this.#core, "overrides", id);
    this.#core.log.info(
      { event: "override.delete", override: id, owner: override.owner, bySession: session?.id },
      "An override was deleted.",
    );
    return override;
  }

  /** The oldest first. */
  list({ service, route, session }: OverrideFilter): readonly Override[] {
    const { view } = this.#core.directory;
    const all = service === undefined ? [...view.overrides.byId.values()] : view.overrides.ofService(service);
    return all
      .filter((override) => route === undefined || override.route === route)
      .filter((override) => session === undefined || override.session === session)
      .map((override) => atRelay(view, override))
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  }

  /** Whether one of the session's sends requests to this port of the developer's machine. */
  offers(session: string, port: number): boolean {
    const { overrides } = this.#core.directory.view;
    return overrides.ofSession(session).some((override) => reachesPort(override, port));
  }
}

/** Throws `E_ROUTE_NAME`. */
export function assertRouteName(route: string): void {
  if (isRouteName(route)) return;
  throw new ManagerError("E_ROUTE_NAME", `"${route}" cannot be the name of a route.`, {
    hint: "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit.",
  });
}

/** `E_PORT_TCP` */
export function portIsTcp(service: string, port: string): ManagerError {
  return new ManagerError(
    "E_PORT_TCP",
    `Port ${port} of ${service} speaks raw TCP, on which no routing key travels: it has no routes.`,
    { hint: "Take its connections by a rule on the client's address, as clew intercept does by itself." },
  );
}

export function overrideUnknown(
  what: "override" | "rule" | "wiretap",
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
