import { isRouteName } from "@clew/context";
import type { GatewayInfo, Preview, PreviewEvent, PreviewRequest, RoutingKeys } from "@clew/control";
import { type Bell, createBell } from "./bell.ts";
import type { Core } from "./core.ts";
import { contended, deleteRecord } from "./delete-record.ts";
import { humanDuration } from "./human-duration.ts";
import { limitReached, ManagerError } from "./manager-error.ts";
import { assertRouteName } from "./overrides.ts";
import { randomName } from "./random-name.ts";
import { formatRecord, type GatewayRecord, lastGateway, type PreviewRecord, recordKey } from "./records.ts";

/** Previews outlive sessions and the process: they expire by the wall clock, as their remaining time is for people to plan with. */
export class Previews {
  readonly #core: Core;
  readonly #changed: Bell = createBell();
  /** Signing costs more than all else in a list, and every change is told to every gateway. Ends with its record. */
  readonly #keys: WeakMap<PreviewRecord, { readonly by: RoutingKeys; readonly key: string }> = new WeakMap();

  constructor(core: Core) {
    this.#core = core;
    core.directory.onChange(({ previews, keys }) => {
      if (previews || keys) this.#changed.ring();
    });
  }

  /**
   * A route without overrides is fine: they may come later. A chosen name that the same owner has for the same route is
   * prolonged. Throws `E_ROUTE_NAME`, `E_PREVIEW_NAME`, `E_PREVIEW_TAKEN`, `E_LIMIT`.
   */
  async create(request: PreviewRequest): Promise<Preview> {
    const { limits, log, clock } = this.#core;
    const { route, owner, name, expiresInMs = limits.previewDefaultMs } = request;
    assertRouteName(route);
    if (name !== undefined) assertPreviewName(name);
    const slug = name ?? randomName();
    const existing = this.#live(slug);
    if (existing && (existing.owner !== owner || existing.route !== route)) throw previewTaken(existing);
    this.#assertRoom(slug);
    const createdAt = existing?.createdAt ?? clock.now();
    const record = { slug, route, owner, createdAt, expiresAt: this.#expiry(expiresInMs) };
    await this.#write(record);
    log.info({ event: "preview.create", slug, route, owner, expiresInMs }, "A preview was made.");
    return this.#present(record);
  }

  /** Expires this long from now. Throws `E_PREVIEW_UNKNOWN`, `E_LIMIT`. */
  async extend(slug: string, expiresInMs: number): Promise<Preview> {
    const record = { ...this.#find(slug), expiresAt: this.#expiry(expiresInMs) };
    await this.#write(record);
    return this.#present(record);
  }

  /** Throws `E_PREVIEW_UNKNOWN`. */
  async revoke(slug: string): Promise<void> {
    const { owner, route } = this.#find(slug);
    await deleteRecord(this.#core, "previews", slug);
    this.#core.log.info({ event: "preview.revoke", slug, route, owner }, "A preview was removed.");
  }

  /** Throws `E_PREVIEW_UNKNOWN`. */
  show(slug: string): Preview {
    return this.#present(this.#find(slug));
  }

  /** The oldest first. */
  list({ route }: { readonly route?: string | undefined } = {}): readonly Preview[] {
    return [...this.#core.directory.view.previews.values()]
      .filter((record) => this.#isLive(record) && (route === undefined || record.route === route))
      .map((record) => this.#present(record))
      .sort((a, b) => a.createdAt - b.createdAt || (a.slug < b.slug ? -1 : 1));
  }

  /** All previews, at once and after each change, until the signal aborts. Remembers the gateway's addresses. */
  async *watch(gateway: GatewayInfo, signal: AbortSignal): AsyncGenerator<PreviewEvent, void> {
    await this.#rememberGateway(gateway);
    while (!signal.aborted) {
      // Waits from before the look: what changes while the event is being taken is not missed.
      const changed = this.#changed.wait(undefined, signal);
      yield { kind: "snapshot", previews: this.list(), keys: this.#core.keys.told };
      await changed;
    }
  }

  /** Deletes what has expired. Every manager does so; the first one to come wins. Never rejects. */
  async sweep(): Promise<void> {
    const { registry, directory, log } = this.#core;
    try {
      for (const record of directory.view.previews.values()) {
        if (this.#isLive(record)) continue;
        const key = recordKey("previews", record.slug);
        await registry.delete(key, { ifRevision: directory.view.revisionOf(key) });
      }
    } catch (error) {
      log.warn({ event: "preview.sweep_failed", err: error }, "Expired previews stay for now.");
    }
  }

  #isLive({ expiresAt }: PreviewRecord): boolean {
    return expiresAt > this.#core.clock.now();
  }

  #live(slug: string): PreviewRecord | undefined {
    const record = this.#core.directory.view.previews.get(slug);
    return record && this.#isLive(record) ? record : undefined;
  }

  #find(slug: string): PreviewRecord {
    const record = this.#live(slug);
    if (record) return record;
    const message = `There is no preview "${slug}": it was removed, or has expired.`;
    throw new ManagerError("E_PREVIEW_UNKNOWN", message, {
      hint: "clew preview list shows those that exist; clew preview create makes one.",
    });
  }

  #present(record: PreviewRecord): Preview {
    const { slug, route, owner, createdAt, expiresAt } = record;
    const { clock, directory } = this.#core;
    return {
      slug,
      route,
      key: this.#keyOf(record),
      owner,
      url: directory.view.gateway?.previewUrl.replace("{slug}", slug),
      createdAt,
      expiresAt,
      remainingMs: Math.max(0, expiresAt - clock.now()),
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

  #assertRoom(slug: string): void {
    const { directory, limits } = this.#core;
    const { previews } = directory.view;
    if (previews.has(slug) || previews.size < limits.maxPreviews) return;
    throw limitReached("maxPreviews", limits.maxPreviews, "previews", "Remove some: clew preview list.");
  }

  #expiry(expiresInMs: number): number {
    const { clock, limits } = this.#core;
    const max = limits.previewMaxMs;
    if (expiresInMs <= max) return clock.now() + expiresInMs;
    throw new ManagerError("E_LIMIT", `A preview lives at most ${humanDuration(max)} (previewMaxMs).`, {
      hint: "Ask for less now, and extend it later.",
      details: { limit: "previewMaxMs", max },
    });
  }

  /** Only over what this manager has seen. Asked again, the caller is told of what another one wrote meanwhile. */
  async #write(record: PreviewRecord): Promise<void> {
    const { registry, directory } = this.#core;
    const key = recordKey("previews", record.slug);
    const ifRevision = directory.view.revisionOf(key);
    const result = await registry.put(key, formatRecord("previews", record), { ifRevision });
    if (!result.ok) throw contended(`Preview ${record.slug}`);
    await directory.reached(result.revision);
  }

  async #rememberGateway({ previewUrl, url }: GatewayRecord): Promise<void> {
    const { registry, directory } = this.#core;
    const { gateway } = directory.view;
    if (gateway?.previewUrl === previewUrl && gateway.url === url) return;
    const key = recordKey("gateways", lastGateway);
    const result = await registry.put(key, formatRecord("gateways", { previewUrl, url }));
    if (result.ok) await directory.reached(result.revision);
  }
}

function assertPreviewName(name: string): void {
  if (isRouteName(name)) return;
  throw new ManagerError(
    "E_PREVIEW_NAME",
    `"${name}" cannot be the name of a preview: it becomes part of a host name.`,
    {
      hint: "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit.",
    },
  );
}

function previewTaken({ slug, owner, route }: PreviewRecord): ManagerError {
  return new ManagerError(
    "E_PREVIEW_TAKEN",
    `The preview "${slug}" exists already: ${owner}'s, for route ${route}.`,
    {
      hint: `Choose another name, leave the name out, or ask ${owner} to remove it.`,
      details: { slug, owner, route },
    },
  );
}
