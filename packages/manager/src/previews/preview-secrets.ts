import { randomBytes } from "node:crypto";
import type { Core } from "../core.ts";
import { formatRecord, linkSecret, recordKey, visitorSecret } from "../records.ts";

/** As long as the output of HMAC-SHA-256, for which they are. Source: RFC 2104 §3. */
const secretBytes = 32;

/**
 * Makes the secrets of previews, unless they are there: the one that all gateways sign their visitors' cookies with, so that
 * a visitor who was let in by one is known to all, and the one that links' tokens are made from. The first manager over a
 * registry makes them; they are there after a restart, too.
 */
export async function ensurePreviewSecrets(core: Pick<Core, "registry" | "directory">): Promise<void> {
  const { view } = core.directory;
  if (view.visitorKey === undefined) await makeSecret(core, visitorSecret);
  if (view.linkKey === undefined) await makeSecret(core, linkSecret);
}

async function makeSecret(
  { registry, directory }: Pick<Core, "registry" | "directory">,
  id: string,
): Promise<void> {
  const key = recordKey("secrets", id);
  const secret = randomBytes(secretBytes).toString("base64url");
  const made = await registry.put(key, formatRecord("secrets", { secret }), { ifRevision: 0 });
  // Another manager was quicker: its secret is everybody's.
  const revision = made.ok ? made.revision : (await registry.get(key))?.revision;
  if (revision !== undefined) await directory.reached(revision);
}
