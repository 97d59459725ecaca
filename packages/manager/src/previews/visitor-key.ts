import { randomBytes } from "node:crypto";
import type { Core } from "../core.ts";
import { formatRecord, recordKey, visitorSecret } from "../records.ts";

/** As long as the output of HMAC-SHA-256, for which it is. Source: RFC 2104 §3. */
const secretBytes = 32;

/**
 * Makes the secret that all gateways sign their visitors' cookies with, unless there is one: the first manager over a
 * registry makes it, so a visitor who was let in by one gateway is known to all, and after a restart too.
 */
export async function ensureVisitorKey({
  registry,
  directory,
}: Pick<Core, "registry" | "directory">): Promise<void> {
  if (directory.view.visitorKey !== undefined) return;
  const key = recordKey("secrets", visitorSecret);
  const secret = randomBytes(secretBytes).toString("base64url");
  const made = await registry.put(key, formatRecord("secrets", { secret }), { ifRevision: 0 });
  // Another manager was quicker: its secret is everybody's.
  const revision = made.ok ? made.revision : (await registry.get(key))?.revision;
  if (revision !== undefined) await directory.reached(revision);
}
