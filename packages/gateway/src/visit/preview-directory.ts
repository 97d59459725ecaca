import type { EndedPreview, Preview, PreviewNotice } from "@clew/control";

export type PreviewFinding =
  | { readonly kind: "live"; readonly preview: Preview }
  /** `how` is undefined where it left the list and nobody said why. */
  | { readonly kind: "ended"; readonly how: EndedPreview["how"] | undefined }
  | { readonly kind: "unknown" }
  /** No list of previews has come yet. */
  | { readonly kind: "no-list" };

/** The previews of the last list. `watchPreviews` takes expired ones out by this machine's own clock (I2). */
export interface PreviewDirectory {
  use(previews: readonly Preview[], notice?: Pick<PreviewNotice, "ended" | "revokedVisitors">): void;
  find(slug: string): PreviewFinding;
  /** Whether this visitor may visit no more. */
  isRevoked(slug: string, visitor: string): boolean;
}

/** Previews that ended are remembered, so that their visitors are told so; beyond `maxEnded` the oldest is forgotten (I8). */
export function createPreviewDirectory(maxEnded: number): PreviewDirectory {
  let listed: ReadonlyMap<string, Preview> | undefined;
  let revoked: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  const ended = new Map<string, EndedPreview["how"] | undefined>();
  return {
    use(previews, { ended: told = [], revokedVisitors = {} } = { ended: [], revokedVisitors: {} }) {
      const before = listed ?? new Map<string, Preview>();
      listed = new Map(previews.map((preview) => [preview.slug, preview]));
      revoked = new Map(Object.entries(revokedVisitors).map(([slug, ids]) => [slug, new Set(ids)]));
      for (const slug of before.keys()) if (!listed.has(slug)) ended.set(slug, undefined);
      for (const { slug, how } of told) ended.set(slug, how);
      for (const slug of ended.keys()) {
        if (ended.size <= maxEnded) break;
        ended.delete(slug);
      }
    },
    find(slug) {
      if (listed === undefined) return { kind: "no-list" };
      const preview = listed.get(slug);
      if (preview !== undefined) return { kind: "live", preview };
      return ended.has(slug) ? { kind: "ended", how: ended.get(slug) } : { kind: "unknown" };
    },
    isRevoked: (slug, visitor) => revoked.get(slug)?.has(visitor) ?? false,
  };
}
