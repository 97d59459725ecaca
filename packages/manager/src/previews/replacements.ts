import type { Replacement } from "@clew/control";
import type { Override } from "@clew/routing";
import type { Core } from "../core.ts";
import { formatRecord, type PreviewRecord, parseRecord, type ReplacedRecord, recordKey } from "../records.ts";
import { createSerial, type Serial } from "../serial.ts";

type Replaced = ReplacedRecord["replaced"][number];

/**
 * What each preview's route replaces. The registry remembers it beside the preview, so that a visitor is told of a
 * machine that was lost, long after its session's lease took the override away; what somebody ended on purpose is forgotten.
 */
export class Replacements {
  readonly #core: Core;
  readonly #serial: Serial = createSerial();
  /** Made anew after each change of an override or session. */
  #byRoute: ReadonlyMap<string, readonly Replacement[]> | undefined;
  #failing = false;

  constructor(core: Core) {
    this.#core = core;
    core.directory.onChange(({ services }) => {
      if (services.size > 0) this.#byRoute = undefined;
    });
  }

  /** What the route replaces now, and what it has lost. */
  of({ slug, route }: Pick<PreviewRecord, "slug" | "route">): readonly Replacement[] {
    const current = this.#current(route);
    const replaced = this.#core.directory.view.replaced.get(slug)?.replaced ?? [];
    const lost = replaced
      .filter(({ service }) => !current.some((other) => other.service === service))
      .map((one) => ({ ...one, reachable: false }));
    return lost.length === 0 ? current : [...current, ...lost].sort(byName);
  }

  /** Writes down what these previews replace now. Every manager does so; the first one to come wins. Never rejects. */
  async remember(previews: Iterable<PreviewRecord>): Promise<void> {
    const all = [...previews].filter((preview) => this.#isNew(preview));
    await Promise.all(
      all.map((preview) =>
        this.#change(preview, (replaced) => {
          const current = this.#current(preview.route);
          const others = replaced.filter(
            ({ service }) => !current.some((other) => other.service === service),
          );
          return [...others, ...current.map(({ reachable: _, ...one }) => one)];
        }),
      ),
    );
  }

  /** Somebody ended these overrides on purpose: nobody is to be told that a machine was lost. Never rejects. */
  async forget(ended: readonly Override[], previews: Iterable<PreviewRecord>): Promise<void> {
    const isEnded = (route: string, service: string): boolean =>
      ended.some((override) => override.route === route && override.service === service);
    const concerned = [...previews].filter(({ route }) => ended.some((override) => override.route === route));
    await Promise.all(
      concerned.map((preview) =>
        this.#change(preview, (replaced) => {
          const current = this.#current(preview.route);
          return replaced.filter(
            ({ service }) =>
              !isEnded(preview.route, service) || current.some((other) => other.service === service),
          );
        }),
      ),
    );
  }

  #current(route: string): readonly Replacement[] {
    this.#byRoute ??= replacementsByRoute(this.#core);
    return this.#byRoute.get(route) ?? [];
  }

  #isNew({ slug, route }: PreviewRecord): boolean {
    const replaced = this.#core.directory.view.replaced.get(slug)?.replaced ?? [];
    return this.#current(route).some((one) => !replaced.some((other) => isSame(one, other)));
  }

  async #change(
    { slug }: PreviewRecord,
    change: (replaced: readonly Replaced[]) => readonly Replaced[],
  ): Promise<void> {
    const { registry, directory, log } = this.#core;
    const key = recordKey("replaced", slug);
    await this.#serial
      .run(slug, async () => {
        const entry = await registry.get(key);
        const before = entry ? parseRecord("replaced", entry.value).replaced : [];
        const replaced = change(before);
        if (replaced.length === before.length && replaced.every((one, at) => isSame(one, before[at]))) return;
        const value = formatRecord("replaced", { replaced });
        const result = await registry.put(key, value, { ifRevision: entry?.revision ?? 0 });
        if (result.ok) await directory.reached(result.revision);
        this.#failing = false;
      })
      .catch((err: unknown) => {
        const message = "What a preview replaces could not be remembered.";
        if (!this.#failing) log.warn({ event: "preview.replaced_unwritten", slug, err }, message);
        this.#failing = true;
      });
  }
}

/** One entry for each service and owner of a route; one with several ports is reachable when all are. */
function replacementsByRoute({ directory: { view } }: Core): ReadonlyMap<string, readonly Replacement[]> {
  const routes = new Map<string, Map<string, Replacement>>();
  for (const { route, service, owner, target, session } of view.overrides.byId.values()) {
    const { kind } = target;
    const connected = session !== undefined && view.sessions.get(session)?.connected === true;
    const ofRoute = routes.get(route) ?? new Map<string, Replacement>();
    routes.set(route, ofRoute);
    const name = `${service}\n${owner}\n${kind}`;
    const reachable = (kind === "address" || connected) && (ofRoute.get(name)?.reachable ?? true);
    ofRoute.set(name, { service, owner, kind, reachable });
  }
  return new Map([...routes].map(([route, ofRoute]) => [route, [...ofRoute.values()].sort(byName)]));
}

function isSame(one: Replaced, other: Replaced | undefined): boolean {
  return one.service === other?.service && one.owner === other.owner && one.kind === other.kind;
}

function byName(a: Replacement, b: Replacement): number {
  return a.service.localeCompare(b.service, "en") || a.owner.localeCompare(b.owner, "en");
}
