import { isRouteName } from "@clew/context";
import type { GatewayInfo, Preview, PreviewEvent, PreviewRequest } from "@clew/control";
import { createBell } from "./bell.ts";
import type { Core } from "./core.ts";
import { contended, deleteRecord } from "./delete-record.ts";
import { limitReached, ManagerError } from "./manager-error.ts";
import { assertRouteName } from "./overrides.ts";
import { randomName } from "./random-name.ts";
import { formatRecord, type GatewayRecord, lastGateway, type PreviewRecord, recordKey } from "./records.ts";
import { routingKey } from "./routing-key.ts";

export interface Previews {
  /**
   * A route without overrides is fine: they may come later. A chosen name that the same owner has for the same route is
   * prolonged. Throws `E_ROUTE_NAME`, `E_PREVIEW_NAME`, `E_PREVIEW_TAKEN`, `E_LIMIT`.
   */
  create(request: PreviewRequest): Promise<Preview>;
  /** Expires this long from now. Throws `E_PREVIEW_UNKNOWN`, `E_LIMIT`. */
  extend(slug: string, expiresInMs: number): Promise<Preview>;
  /** Throws `E_PREVIEW_UNKNOWN`. */
  revoke(slug: string): Promise<void>;
  /** Throws `E_PREVIEW_UNKNOWN`. */
  show(slug: string): Preview;
  list(filter: { readonly route?: string | undefined }): readonly Preview[];
  /** All previews, at once and after each change, until the signal aborts. Remembers the gateway's addresses. */
  watch(gateway: GatewayInfo, signal: AbortSignal): AsyncGenerator<PreviewEvent, void>;
  /** Deletes what has expired. Every manager does so; the first one to come wins. Never rejects. */
  sweep(): Promise<void>;
}

export function createPreviews(core: Core): Previews {
  const { registry, directory, clock, limits, log } = core;
  const { view } = directory;
  const bell = createBell();
  directory.onChange(({ previews }) => {
    if (previews) bell.ring();
  });

  const isLive = ({ expiresAt }: PreviewRecord): boolean => expiresAt > clock.now();

  const find = (slug: string): PreviewRecord => {
    const record = view.previews.get(slug);
    if (record && isLive(record)) return record;
    throw new ManagerError(
      "E_PREVIEW_UNKNOWN",
      `There is no preview "${slug}": it was removed, or has expired.`,
      {
        hint: "clew preview list shows those that exist; clew preview create makes one.",
      },
    );
  };

  const present = ({ slug, route, owner, createdAt, expiresAt }: PreviewRecord): Preview => ({
    slug,
    route,
    key: routingKey(route),
    owner,
    url: view.gateway?.previewUrl.replace("{slug}", slug),
    createdAt,
    expiresAt,
    remainingMs: Math.max(0, expiresAt - clock.now()),
  });

  const list = (route?: string): readonly Preview[] =>
    [...view.previews.values()]
      .filter((record) => isLive(record) && (route === undefined || record.route === route))
      .map(present)
      .sort((a, b) => a.createdAt - b.createdAt || (a.slug < b.slug ? -1 : 1));

  const expiry = (nowMs: number, expiresInMs: number): number => {
    if (expiresInMs <= limits.previewMaxMs) return nowMs + expiresInMs;
    const days = Math.floor(limits.previewMaxMs / 86_400_000);
    throw new ManagerError("E_LIMIT", `A preview lives at most ${days} days (previewMaxMs).`, {
      hint: "Ask for less now, and extend it later.",
      details: { limit: "previewMaxMs", max: limits.previewMaxMs },
    });
  };

  /** Only over what this manager has seen. Asked again, the caller is told of what another one wrote meanwhile. */
  const write = async (record: PreviewRecord): Promise<void> => {
    const key = recordKey("previews", record.slug);
    const result = await registry.put(key, formatRecord("previews", record), {
      ifRevision: view.revisionOf(key),
    });
    if (!result.ok) throw contended(`Preview ${record.slug}`);
    await directory.reached(result.revision);
  };

  const rememberGateway = async ({ previewUrl, url }: GatewayRecord): Promise<void> => {
    if (view.gateway?.previewUrl === previewUrl && view.gateway.url === url) return;
    const result = await registry.put(
      recordKey("gateways", lastGateway),
      formatRecord("gateways", { previewUrl, url }),
    );
    if (result.ok) await directory.reached(result.revision);
  };

  return {
    async create({ route, owner, name, expiresInMs = limits.previewDefaultMs }) {
      assertRouteName(route);
      if (name !== undefined) assertPreviewName(name);
      const slug = name ?? randomName();
      const former = view.previews.get(slug);
      const existing = former && isLive(former) ? former : undefined;
      if (existing && (existing.owner !== owner || existing.route !== route)) throw previewTaken(existing);
      if (!former && view.previews.size >= limits.maxPreviews) {
        throw limitReached("maxPreviews", limits.maxPreviews, "previews", "Remove some: clew preview list.");
      }
      const now = clock.now();
      const createdAt = existing?.createdAt ?? now;
      const record = { slug, route, owner, createdAt, expiresAt: expiry(now, expiresInMs) };
      await write(record);
      log.info({ event: "preview.create", slug, route, owner, expiresInMs }, "A preview was made.");
      return present(record);
    },

    async extend(slug, expiresInMs) {
      const record = { ...find(slug), expiresAt: expiry(clock.now(), expiresInMs) };
      await write(record);
      return present(record);
    },

    async revoke(slug) {
      const { owner, route } = find(slug);
      await deleteRecord(core, "previews", slug);
      log.info({ event: "preview.revoke", slug, route, owner }, "A preview was removed.");
    },

    show: (slug) => present(find(slug)),
    list: ({ route }) => list(route),

    async *watch(gateway, signal) {
      await rememberGateway(gateway);
      while (!signal.aborted) {
        // Waits from before the look: what changes while the event is being taken is not missed.
        const changed = bell.wait(undefined, signal);
        yield { kind: "snapshot", previews: list() };
        await changed;
      }
    },

    async sweep() {
      try {
        for (const record of view.previews.values()) {
          if (isLive(record)) continue;
          const key = recordKey("previews", record.slug);
          await registry.delete(key, { ifRevision: view.revisionOf(key) });
        }
      } catch (error) {
        log.warn({ event: "preview.sweep_failed", err: error }, "Expired previews stay listed for now.");
      }
    },
  };
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
