import type { Preview } from "@clew/control";

export type PreviewFinding =
  | { readonly kind: "live"; readonly preview: Preview }
  /** Its time is over, or it was revoked. */
  | { readonly kind: "ended" }
  | { readonly kind: "unknown" }
  /** No list of previews has come yet. */
  | { readonly kind: "no-list" };

/** The previews of the last list. `watchPreviews` takes expired ones out by this machine's own clock (I2). */
export interface PreviewDirectory {
  use(previews: readonly Preview[]): void;
  find(slug: string): PreviewFinding;
}

/** Previews that ended are remembered, so that their visitors are told so; beyond `maxEnded` the oldest is forgotten (I8). */
export function createPreviewDirectory(maxEnded: number): PreviewDirectory {
  let listed: ReadonlyMap<string, Preview> | undefined;
  const ended = new Set<string>();
  return {
    use(previews) {
      const before = listed ?? new Map<string, Preview>();
      listed = new Map(previews.map((preview) => [preview.slug, preview]));
      for (const slug of before.keys()) if (!listed.has(slug)) ended.add(slug);
      for (const slug of ended) {
        if (ended.size <= maxEnded) break;
        ended.delete(slug);
      }
    },
    find(slug) {
      if (listed === undefined) return { kind: "no-list" };
      const preview = listed.get(slug);
      if (preview !== undefined) return { kind: "live", preview };
      return { kind: ended.has(slug) ? "ended" : "unknown" };
    },
  };
}
