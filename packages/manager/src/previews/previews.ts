import type {
  EndedPreview,
  GatewayInfo,
  Preview,
  PreviewDetails,
  PreviewEvent,
  PreviewGrant,
  PreviewInfo,
  PreviewRequest,
  PreviewVisit,
  RoutingKeys,
} from "@clew/control";
import type { Override } from "@clew/routing";
import { type Bell, createBell } from "../bell.ts";
import type { Core } from "../core.ts";
import { contended } from "../delete-record.ts";
import { ManagerError } from "../manager-error.ts";
import { assertRouteName } from "../overrides.ts";
import { randomName } from "../random-name.ts";
import { formatRecord, lastGateway, type PreviewRecord, parseRecord, recordKey } from "../records.ts";
import { assertPreviewName, assertRoom, expiryOf, previewTaken, previewUnknown } from "./preview-rules.ts";
import { accessOf, checkSettings, linkTokenOf, makeAccess } from "./preview-settings.ts";
import { Replacements } from "./replacements.ts";
import { withoutSecrets } from "./secret-headers.ts";
import { Visits } from "./visits.ts";

/** Attempts against other writers of one preview, of which there are few. */
const maxAttempts = 10;

/** Previews outlive sessions and the process: they expire by the wall clock, as their remaining time is for people to plan with. */
export class Previews {
  readonly #core: Core;
  readonly #replacements: Replacements;
  readonly #visits: Visits;
  readonly #changed: Bell = createBell();
  /** Signing costs more than all else in a list, and every change is told to every gateway. Ends with its record. */
  readonly #keys: WeakMap<PreviewRecord, { readonly by: RoutingKeys; readonly key: string }> = new WeakMap();

  constructor(core: Core) {
    this.#core = core;
    this.#replacements = new Replacements(core);
    this.#visits = new Visits(core);
    core.directory.onChange(({ previews, keys, services }) => {
      if (previews || services.size > 0) void this.#replacements.remember(this.#allLive());
      if (previews || keys || services.size > 0) this.#changed.ring();
    });
    void this.#replacements.remember(this.#allLive());
  }

  /**
   * A route without overrides is fine: they may come later. A chosen name that the same owner has for the same route is
   * prolonged, and changed where something is said.
   * Throws `E_ROUTE_NAME`, `E_PREVIEW_NAME`, `E_PREVIEW_TAKEN`, `E_LIMIT`, and what {@link checkSettings} throws.
   */
  async create(request: PreviewRequest): Promise<PreviewGrant> {
    const { limits, log, clock } = this.#core;
    const { route, owner, name, expiresInMs = limits.previewDefaultMs } = request;
    assertRouteName(route);
    if (name !== undefined) assertPreviewName(name);
    const slug = name ?? randomName();
    const existing = this.#live(slug);
    if (existing && (existing.owner !== owner || existing.route !== route)) throw previewTaken(existing);
    assertRoom(this.#core, this.#allLive(), slug);
    const record: PreviewRecord = {
      slug,
      route,
      owner,
      createdAt: existing?.createdAt ?? clock.now(),
      expiresAt: expiryOf(this.#core, expiresInMs),
      ...checkSettings(this.#core, request, existing),
      revokedVisitors: existing?.revokedVisitors,
    };
    const { linkToken, ...kept } = await makeAccess(this.#core, request.access, existing);
    const made = { ...record, ...kept };
    await this.#write(made, existing === undefined);
    log.info(
      { event: "preview.create", slug, route, owner, expiresInMs, access: made.access.kind },
      "A preview was made.",
    );
    return { ...this.#describe(made), key: this.#keyOf(made), linkToken };
  }

  /** Expires this long from now. Throws `E_PREVIEW_UNKNOWN`, `E_LIMIT`. */
  async extend(slug: string, expiresInMs: number): Promise<PreviewInfo> {
    const expiresAt = expiryOf(this.#core, expiresInMs);
    const record = await this.#change(slug, (current) => ({ ...current, expiresAt }));
    this.#core.log.info({ event: "preview.extend", slug, expiresInMs }, "A preview was extended.");
    return this.#describe(record);
  }

  /** Its visitors are turned away from now on. Throws `E_PREVIEW_UNKNOWN`. */
  async revoke(slug: string): Promise<void> {
    const { clock, log } = this.#core;
    const { owner, route } = await this.#change(slug, (current) => ({ ...current, revokedAt: clock.now() }));
    log.info({ event: "preview.revoke", slug, route, owner }, "A preview was revoked.");
  }

  /** Throws `E_PREVIEW_UNKNOWN`. */
  show(slug: string, { withLink = false }: { readonly withLink?: boolean | undefined } = {}): PreviewDetails {
    const record = this.#find(slug);
    const { revokedVisitors = [] } = record;
    const visitors = this.#visits
      .of(slug)
      .map((one) => ({ ...one, revoked: revokedVisitors.includes(one.visitor) }));
    const linkToken = withLink ? linkTokenOf(this.#core, record) : undefined;
    return { preview: this.#describe(record), visitors, linkToken };
  }

  /** The oldest first. */
  list({ route }: { readonly route?: string | undefined } = {}): readonly PreviewInfo[] {
    return this.#ordered()
      .filter((record) => route === undefined || record.route === route)
      .map((record) => this.#describe(record));
  }

  /** What gateways saw. Visits to what is no preview any more are dropped. */
  addVisits(visits: readonly PreviewVisit[]): void {
    for (const visit of visits) if (this.#live(visit.slug)) this.#visits.add(visit);
  }

  /** Throws `E_PREVIEW_UNKNOWN`, `E_VISITOR_UNKNOWN`, `E_LIMIT`. */
  async revokeVisitor(slug: string, visitor: string): Promise<void> {
    const { limits, log } = this.#core;
    if (!this.show(slug).visitors.some((one) => one.visitor === visitor)) {
      throw new ManagerError("E_VISITOR_UNKNOWN", `The preview "${slug}" had no visitor ${visitor}.`, {
        hint: `clew preview show ${slug} lists them.`,
      });
    }
    const max = limits.maxRevokedVisitors;
    await this.#change(slug, (current) => {
      const revoked = new Set(current.revokedVisitors).add(visitor);
      if (revoked.size <= max) return { ...current, revokedVisitors: [...revoked] };
      const message = `${max} visitors of "${slug}" are revoked already (maxRevokedVisitors).`;
      const hint = `Turn all out, and give out another link: clew preview create --name ${slug} --new-link`;
      throw new ManagerError("E_LIMIT", message, { hint, details: { limit: "maxRevokedVisitors", max } });
    });
    log.info({ event: "preview.visitor_revoke", slug, visitor }, "A visitor of a preview was revoked.");
  }

  /** Somebody ended these overrides on purpose, so no visitor is told that a machine was lost. */
  forget(overrides: readonly Override[]): Promise<void> {
    return this.#replacements.forget(overrides, this.#allLive());
  }

  /** All previews, at once and after each change, until the signal aborts. Remembers the gateway's addresses. */
  async *watch(gateway: GatewayInfo, signal: AbortSignal): AsyncGenerator<PreviewEvent, void> {
    await this.#rememberGateway(gateway);
    let told = "";
    while (!signal.aborted) {
      // Waits from before the look: what changes while the event is being taken is not missed.
      const changed = this.#changed.wait(undefined, signal);
      const event = this.#snapshot();
      // Most changes of overrides are of routes without a preview; only remaining times would be new.
      const news = JSON.stringify(event, (name, value) => (name === "remainingMs" ? undefined : value));
      if (news !== told) yield event;
      told = news;
      await changed;
    }
  }

  /** Deletes what ended long ago, or beyond the limit. Every manager does so; the first one to come wins. Never rejects. */
  async sweep(): Promise<void> {
    const { registry, directory, log } = this.#core;
    const { view } = directory;
    const remembered = new Set(this.#ended().map(({ slug }) => slug));
    const old = [...view.previews.keys()].filter((slug) => !this.#live(slug) && !remembered.has(slug));
    const orphans = [...view.visitors.keys(), ...view.replaced.keys()].filter((slug) => !this.#live(slug));
    const keys = [
      ...old.map((slug) => recordKey("previews", slug)),
      ...orphans.flatMap((slug) => [recordKey("visitors", slug), recordKey("replaced", slug)]),
    ];
    try {
      for (const key of new Set(keys)) {
        const ifRevision = view.revisionOf(key);
        if (ifRevision > 0) await registry.delete(key, { ifRevision });
      }
    } catch (error) {
      log.warn({ event: "preview.sweep_failed", err: error }, "Ended previews stay for now.");
    }
  }

  /** Writes what was only gathered so far. */
  settled(): Promise<void> {
    return this.#visits.flush();
  }

  #isLive({ expiresAt, revokedAt }: PreviewRecord): boolean {
    return revokedAt === undefined && expiresAt > this.#core.clock.now();
  }

  #live(slug: string): PreviewRecord | undefined {
    const record = this.#core.directory.view.previews.get(slug);
    return record && this.#isLive(record) ? record : undefined;
  }

  #allLive(): readonly PreviewRecord[] {
    return [...this.#core.directory.view.previews.values()].filter((record) => this.#isLive(record));
  }

  #ordered(): readonly PreviewRecord[] {
    return [...this.#allLive()].sort((a, b) => a.createdAt - b.createdAt || (a.slug < b.slug ? -1 : 1));
  }

  /** Those that are remembered, the last one first. */
  #ended(): readonly EndedPreview[] {
    const { directory, limits, clock } = this.#core;
    const since = clock.now() - limits.endedPreviewMs;
    return [...directory.view.previews.values()]
      .filter((record) => !this.#isLive(record))
      .map(endingOf)
      .filter(({ at }) => at > since)
      .sort((a, b) => b.at - a.at)
      .slice(0, limits.maxEndedPreviews);
  }

  #find(slug: string): PreviewRecord {
    const record = this.#live(slug);
    if (record) return record;
    const ended = this.#core.directory.view.previews.get(slug);
    throw previewUnknown(slug, ended && endingOf(ended));
  }

  #snapshot(): PreviewEvent {
    const { directory, keys } = this.#core;
    const live = this.#ordered();
    const revoked = live.flatMap(({ slug, revokedVisitors }) =>
      revokedVisitors === undefined ? [] : [[slug, revokedVisitors] as const],
    );
    return {
      kind: "snapshot",
      previews: live.map((record): Preview => {
        const access = accessOf(record);
        return { ...this.#describe(record), headers: record.headers, key: this.#keyOf(record), access };
      }),
      ended: this.#ended(),
      revokedVisitors: Object.fromEntries(revoked),
      visitorKey: directory.view.visitorKey,
      keys: keys.told,
    };
  }

  /** As everybody may see it. */
  #describe(record: PreviewRecord): PreviewInfo {
    const { slug, route, owner, createdAt, expiresAt, banner = true, ingress, fields, headers } = record;
    const { clock, directory } = this.#core;
    return {
      slug,
      route,
      owner,
      url: directory.view.gateway?.previewUrl.replace("{slug}", slug),
      createdAt,
      expiresAt,
      remainingMs: Math.max(0, expiresAt - clock.now()),
      access: accessOf(record).kind,
      banner,
      ingress,
      fields,
      headers: headers && withoutSecrets(headers),
      replaces: this.#replacements.of(record),
    };
  }

  #keyOf(record: PreviewRecord): string {
    const { keys } = this.#core;
    const by = keys.told;
    const known = this.#keys.get(record);
    if (known?.by === by) return known.key;
    const { key } = keys.issue(record.route, record.expiresAt);
    this.#keys.set(record, { by, key });
    return key;
  }

  /** Changes a live preview against other writers. Throws `E_PREVIEW_UNKNOWN`, `E_REGISTRY_CONTENDED`. */
  async #change(slug: string, change: (current: PreviewRecord) => PreviewRecord): Promise<PreviewRecord> {
    const { registry, directory } = this.#core;
    const key = recordKey("previews", slug);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const entry = await registry.get(key);
      const current = entry && parseRecord("previews", entry.value);
      if (!entry || !current || !this.#isLive(current)) {
        throw previewUnknown(slug, current && endingOf(current));
      }
      const next = change(current);
      const result = await registry.put(key, formatRecord("previews", next), { ifRevision: entry.revision });
      if (!result.ok) continue;
      await directory.reached(result.revision);
      return next;
    }
    throw contended(`Preview ${slug}`);
  }

  /**
   * Only over what this manager has seen. Asked again, the caller is told of what another one wrote meanwhile. What is
   * remembered of an ended preview of the same name goes when a new one takes its place.
   */
  async #write(record: PreviewRecord, isNew: boolean): Promise<void> {
    const { registry, directory } = this.#core;
    const { slug } = record;
    const key = recordKey("previews", slug);
    if (isNew) this.#visits.drop(slug);
    const result = await registry.transaction({
      compare: [{ key, revision: directory.view.revisionOf(key) }],
      puts: [{ key, value: formatRecord("previews", record) }],
      deletes: isNew ? [recordKey("visitors", slug), recordKey("replaced", slug)] : [],
    });
    if (!result.ok) throw contended(`Preview ${slug}`);
    await directory.reached(result.revision);
  }

  async #rememberGateway({ id: _, ...told }: GatewayInfo): Promise<void> {
    const { registry, directory } = this.#core;
    const { gateway } = directory.view;
    const value = formatRecord("gateways", told);
    if (gateway && formatRecord("gateways", gateway) === value) return;
    const result = await registry.put(recordKey("gateways", lastGateway), value);
    if (result.ok) await directory.reached(result.revision);
  }
}

function endingOf({ slug, owner, expiresAt, revokedAt }: PreviewRecord): EndedPreview {
  return revokedAt === undefined
    ? { slug, owner, how: "expired", at: expiresAt }
    : { slug, owner, how: "revoked", at: revokedAt };
}
