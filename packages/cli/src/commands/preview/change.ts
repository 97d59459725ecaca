import { type CliContext, type ManagerFlags, print } from "../../cli-context.ts";
import { withManager } from "../../developer/manager-access.ts";
import { describeDuration } from "../../output/table.ts";

/** As a new preview's: until this time tomorrow. */
const defaultExtensionMs = 24 * 3_600_000;

export function previewExtend(
  this: CliContext,
  flags: ManagerFlags & { readonly expires?: number },
  slug: string,
): Promise<void> {
  const { expires: expiresInMs = defaultExtensionMs } = flags;
  return withManager(this, flags.manager, async ({ client }) => {
    const { preview } = await client.previews.extend({ slug, expiresInMs });
    print(this, preview, `${slug} works for ${describeDuration(preview.remainingMs)} from now on.`);
  });
}

export function previewRevoke(this: CliContext, flags: ManagerFlags, slug: string): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    await client.previews.revoke({ slug });
    print(this, { revoked: slug }, `Revoked ${slug}: its visitors are told so from now on.`);
  });
}

export function visitorRevoke(
  this: CliContext,
  flags: ManagerFlags,
  slug: string,
  visitor: string,
): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    await client.previews.revokeVisitor({ slug, visitor });
    const text = `Revoked ${visitor}: that browser is no visitor of ${slug} any more.`;
    print(this, { revoked: slug, visitor }, text);
  });
}
