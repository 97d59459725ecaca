import type { PreviewVisit } from "@clew/control";
import type { Core } from "../core.ts";
import { contended } from "../delete-record.ts";
import { formatRecord, parseRecord, recordKey, type VisitorsRecord } from "../records.ts";

type Visitor = VisitorsRecord["visitors"][number];

/** Characters of a path or a browser's name that are kept: what a person recognises it by. */
const maxTextLength = 256;
/** Each attempt merges into what another manager wrote; more than this are a fault somewhere. */
const maxAttempts = 10;

/** Who visited which preview. Visits gather for a moment and are written together; what is asked for has both. */
export class Visits {
  readonly #core: Core;
  readonly #gathered = new Map<string, Map<string, Visitor>>();
  /** What was gathered before, and is being written. */
  readonly #leaving = new Map<string, ReadonlyMap<string, Visitor>>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(core: Core) {
    this.#core = core;
  }

  add({ slug, visitor, at, path, userAgent }: PreviewVisit): void {
    const visitors = this.#gathered.get(slug) ?? new Map<string, Visitor>();
    this.#gathered.set(slug, visitors);
    const visit = {
      visitor,
      firstAt: at,
      lastAt: at,
      visits: 1,
      path: path.slice(0, maxTextLength),
      userAgent: userAgent?.slice(0, maxTextLength),
    };
    visitors.set(visitor, merge(visitors.get(visitor), visit));
    this.#gathered.set(slug, this.#limited(visitors));
    this.#timer ??= setTimeout(() => void this.flush(), this.#core.limits.visitWriteMs).unref();
  }

  /** What has gathered is of a preview that is over. */
  drop(slug: string): void {
    this.#gathered.delete(slug);
  }

  /** The most recent first. */
  of(slug: string): readonly Visitor[] {
    const stored = this.#core.directory.view.visitors.get(slug)?.visitors ?? [];
    const leaving = this.#leaving.get(slug)?.values() ?? [];
    const gathered = this.#gathered.get(slug)?.values() ?? [];
    return [...this.#limited(mergeAll(stored, leaving, gathered)).values()];
  }

  /** Writes what has gathered, and resolves when it is written or was given up. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      for (const slug of [...this.#gathered.keys()]) await this.#write(slug);
    });
    return this.#writing;
  }

  async #write(slug: string): Promise<void> {
    const { log } = this.#core;
    const leaving = this.#gathered.get(slug);
    if (!leaving) return;
    this.#gathered.delete(slug);
    this.#leaving.set(slug, leaving);
    try {
      await this.#merge(slug, leaving);
    } catch (err) {
      log.warn({ event: "preview.visits_lost", slug, err }, "Visits of a preview were not written down.");
    }
    this.#leaving.delete(slug);
  }

  async #merge(slug: string, gathered: ReadonlyMap<string, Visitor>): Promise<void> {
    const { registry, directory } = this.#core;
    const key = recordKey("visitors", slug);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const entry = await registry.get(key);
      const stored = entry ? parseRecord("visitors", entry.value).visitors : [];
      const visitors = [...this.#limited(mergeAll(stored, gathered.values())).values()];
      const value = formatRecord("visitors", { visitors });
      const result = await registry.put(key, value, { ifRevision: entry?.revision ?? 0 });
      if (result.ok) return await directory.reached(result.revision);
    }
    throw contended(`The visitors of preview ${slug}`);
  }

  #limited(visitors: ReadonlyMap<string, Visitor>): Map<string, Visitor> {
    const recent = [...visitors].sort(([, a], [, b]) => b.lastAt - a.lastAt);
    return new Map(recent.slice(0, this.#core.limits.maxPreviewVisitors));
  }
}

function mergeAll(...lists: ReadonlyArray<Iterable<Visitor>>): Map<string, Visitor> {
  const visitors = new Map<string, Visitor>();
  for (const list of lists) {
    for (const one of list) visitors.set(one.visitor, merge(visitors.get(one.visitor), one));
  }
  return visitors;
}

function merge(before: Visitor | undefined, now: Visitor): Visitor {
  if (!before) return now;
  const latest = now.lastAt >= before.lastAt ? now : before;
  return {
    ...latest,
    firstAt: Math.min(before.firstAt, now.firstAt),
    visits: before.visits + now.visits,
  };
}
