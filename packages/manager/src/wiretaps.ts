import type { WiretapCounts, WiretapInfo, WiretapRequest } from "@clew/control";
import { everyRoute, type Override } from "@clew/routing";
import { assertRoom } from "./claim.ts";
import type { Core } from "./core.ts";
import { contended, deleteRecord } from "./delete-record.ts";
import { resolveTarget } from "./override-target.ts";
import { assertRouteName, overrideUnknown, portIsTcp, reachesPort } from "./overrides.ts";
import { randomName } from "./random-name.ts";
import { formatRecord, recordKey, type SessionRecord } from "./records.ts";
import type { Services } from "./services.ts";
import { sessionUnknown } from "./sessions.ts";
import { atRelay } from "./tables.ts";

/** Attempts against other writers of the session. */
const maxAttempts = 10;

/**
 * Wiretaps, which conflict with nothing: any number may copy the same requests. What became of the copies is in memory and of
 * this manager alone, as agents told it.
 */
export class Wiretaps {
  readonly #core: Core;
  readonly #services: Services;
  /** By wiretap and agent. */
  readonly #counts = new Map<string, Map<string, WiretapCounts>>();

  constructor(core: Core, services: Services) {
    this.#core = core;
    this.#services = services;
  }

  /** Throws `E_ROUTE_NAME`, `E_SERVICE_UNKNOWN`, `E_PORT_UNKNOWN`, `E_PORT_TCP`, `E_TARGET_…`, `E_LIMIT`. */
  async put(session: SessionRecord, request: WiretapRequest): Promise<Override> {
    const { clock, log, directory } = this.#core;
    const { service, route = everyRoute } = request;
    if (request.route !== undefined) assertRouteName(request.route);
    const port = this.#services.resolvePort(service, request.port);
    if (this.#services.trafficOf(service, port) === "tcp") throw portIsTcp(service, port);
    const target = resolveTarget(request.target, session);
    const own = directory.view.wiretaps
      .ofSession(session.id)
      .find((other) => other.route === route && other.service === service && other.port === port);
    const wiretap: Override = {
      id: own?.id ?? randomName(),
      route,
      service,
      port,
      target,
      owner: session.owner,
      session: session.id,
      createdAt: own?.createdAt ?? clock.now(),
      onFailure: "live",
    };
    assertRoom(this.#core, session.id, wiretap);
    await this.#write(wiretap, session);
    log.info(
      { event: "wiretap.put", wiretap: wiretap.id, route, service, port, owner: session.owner },
      "A wiretap was made.",
    );
    return atRelay(directory.view, wiretap);
  }

  /** With a session: only its own. Throws `E_OVERRIDE_UNKNOWN`. */
  async delete(id: string, session: SessionRecord | undefined): Promise<void> {
    const wiretap = this.#core.directory.view.wiretaps.byId.get(id);
    const isTheirs = session === undefined || wiretap?.session === session.id;
    if (!wiretap || !isTheirs) throw overrideUnknown("wiretap", id, session);
    await deleteRecord(this.#core, "wiretaps", id);
    this.#core.log.info(
      { event: "wiretap.delete", wiretap: id, owner: wiretap.owner, bySession: session?.id },
      "A wiretap was deleted.",
    );
  }

  /** The oldest first. */
  list(filter: {
    readonly service?: string | undefined;
    readonly session?: string | undefined;
  }): readonly WiretapInfo[] {
    const { view } = this.#core.directory;
    return [...view.wiretaps.byId.values()]
      .filter(({ service }) => filter.service === undefined || service === filter.service)
      .filter(({ session }) => filter.session === undefined || session === filter.session)
      .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
      .map((wiretap) => ({ wiretap: atRelay(view, wiretap), ...this.#countsOf(wiretap.id) }));
  }

  /** Whether one of the session's sends copies to this port of the developer's machine. */
  offers(session: string, port: number): boolean {
    const { wiretaps } = this.#core.directory.view;
    return wiretaps.ofSession(session).some((wiretap) => reachesPort(wiretap, port));
  }

  /** An agent's own counts take the place of those that it told before; a wiretap that is gone has none (I8). */
  report(agent: string, counts: ReadonlyArray<WiretapCounts & { readonly id: string }>): void {
    const { byId } = this.#core.directory.view.wiretaps;
    for (const id of this.#counts.keys()) if (!byId.has(id)) this.#counts.delete(id);
    for (const { id, ...own } of counts) {
      if (!byId.has(id)) continue;
      const ofAgents = this.#counts.get(id) ?? new Map<string, WiretapCounts>();
      this.#counts.set(id, ofAgents);
      if (ofAgents.has(agent) || ofAgents.size < this.#core.limits.maxAgentsPerWiretap)
        ofAgents.set(agent, own);
    }
  }

  #countsOf(id: string): WiretapCounts {
    let [copied, dropped] = [0, 0];
    let lastDrop: WiretapCounts["lastDrop"];
    for (const counts of this.#counts.get(id)?.values() ?? []) {
      copied += counts.copied;
      dropped += counts.dropped;
      lastDrop = counts.lastDrop ?? lastDrop;
    }
    return { copied, dropped, ...(lastDrop === undefined ? {} : { lastDrop }) };
  }

  /** Only as long as the session lives: the compare is what ties the two together. */
  async #write(wiretap: Override, session: SessionRecord): Promise<void> {
    const { registry, directory } = this.#core;
    const sessionKey = recordKey("sessions", session.id);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const owner = await registry.get(sessionKey);
      if (!owner) throw sessionUnknown(session.id);
      const result = await registry.transaction({
        compare: [{ key: sessionKey, revision: owner.revision }],
        puts: [
          {
            key: recordKey("wiretaps", wiretap.id),
            value: formatRecord("wiretaps", wiretap),
            lease: session.lease,
          },
        ],
      });
      if (result.ok) return await directory.reached(result.revision);
    }
    throw contended(`Session ${session.id}`);
  }
}
