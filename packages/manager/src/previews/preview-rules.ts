import { isRouteName } from "@clew/context";
import type { EndedPreview } from "@clew/control";
import type { Core } from "../core.ts";
import { humanDuration } from "../human-duration.ts";
import { limitReached, ManagerError } from "../manager-error.ts";
import type { PreviewRecord } from "../records.ts";

/** Throws `E_PREVIEW_NAME`. */
export function assertPreviewName(name: string): void {
  if (isRouteName(name)) return;
  throw new ManagerError(
    "E_PREVIEW_NAME",
    `"${name}" cannot be the name of a preview: it becomes part of a host name.`,
    {
      hint: "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit.",
    },
  );
}

/** Throws `E_LIMIT`. Those that ended do not count. */
export function assertRoom({ limits }: Core, live: readonly PreviewRecord[], slug: string): void {
  if (live.length < limits.maxPreviews || live.some((record) => record.slug === slug)) return;
  throw limitReached("maxPreviews", limits.maxPreviews, "previews", "Revoke some: clew preview list.");
}

/** Throws `E_LIMIT`. */
export function expiryOf({ clock, limits }: Core, expiresInMs: number): number {
  const max = limits.previewMaxMs;
  if (expiresInMs <= max) return clock.now() + expiresInMs;
  throw new ManagerError("E_LIMIT", `A preview lives at most ${humanDuration(max)} (previewMaxMs).`, {
    hint: "Ask for less now, and extend it later.",
    details: { limit: "previewMaxMs", max },
  });
}

export function previewTaken({ slug, owner, route }: PreviewRecord): ManagerError {
  return new ManagerError(
    "E_PREVIEW_TAKEN",
    `The preview "${slug}" exists already: ${owner}'s, for route ${route}.`,
    {
      hint: `Choose another name, leave the name out, or ask ${owner} to revoke it.`,
      details: { slug, owner, route },
    },
  );
}

export function previewUnknown(slug: string, ended: EndedPreview | undefined): ManagerError {
  const message = ended
    ? `The preview "${slug}" of ${ended.owner} ${ended.how === "expired" ? "has expired" : "was revoked"}.`
    : `There is no preview "${slug}".`;
  return new ManagerError("E_PREVIEW_UNKNOWN", message, {
    hint: "clew preview list shows those that exist; clew preview create makes one.",
  });
}
