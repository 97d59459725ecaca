import type { Core } from "./core.ts";
import { ManagerError } from "./manager-error.ts";
import { type RecordKind, recordKey } from "./records.ts";

/** A record is rewritten rarely; more attempts than this against other writers are a fault somewhere. */
const maxAttempts = 10;

/**
 * Deletes one record and waits until the directory shows it. The compare is there so that a revision is waited for only when
 * something was written: the revision of a delete that found nothing may be one that this manager's watch never tells of.
 */
export async function deleteRecord(
  { registry, directory }: Core,
  kind: RecordKind,
  id: string,
): Promise<void> {
  const key = recordKey(kind, id);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const entry = await registry.get(key);
    if (!entry) return;
    const result = await registry.delete(key, { ifRevision: entry.revision });
    if (result.ok) return await directory.reached(result.revision);
  }
  throw contended(`Record ${id} of the ${kind}`);
}

/** `E_REGISTRY_CONTENDED`: every attempt found that another writer had been there first. */
export function contended(what: string): ManagerError {
  return new ManagerError("E_REGISTRY_CONTENDED", `${what} is being changed by too many at once.`, {
    retryable: true,
    hint: "Try again in a moment.",
  });
}
