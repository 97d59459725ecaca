import type { Preview } from "@clew/control";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { withManager } from "../developer/manager-access.ts";
import { defaultRoute, ownerName } from "../developer/owner.ts";
import { describeDuration, layOut } from "../output/table.ts";

interface CreateFlags extends ManagerFlags {
  readonly route?: string;
  readonly name?: string;
  readonly expires?: number;
  readonly owner?: string;
}

export function previewCreate(this: CliContext, flags: CreateFlags): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    const owner = ownerName(flags.owner, this.env);
    const { preview } = await client.previews.create({
      route: flags.route ?? defaultRoute(owner),
      owner,
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(flags.expires === undefined ? {} : { expiresInMs: flags.expires }),
    });
    print(
      this,
      preview,
      `${shownUrl(preview)}\nroute ${preview.route}, for ${describeDuration(preview.remainingMs)}`,
    );
  });
}

export function previewList(
  this: CliContext,
  flags: ManagerFlags & { readonly route?: string },
): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    const { previews } = await client.previews.list(flags.route === undefined ? {} : { route: flags.route });
    const rows = previews.map((preview) => [
      preview.slug,
      preview.route,
      preview.owner,
      describeDuration(preview.remainingMs),
      shownUrl(preview),
    ]);
    const text =
      rows.length === 0
        ? "No previews. Make one: clew preview create --route NAME"
        : layOut([["PREVIEW", "ROUTE", "OWNER", "EXPIRES IN", "URL"], ...rows], "");
    print(this, { previews }, text);
  });
}

export function previewRemove(this: CliContext, flags: ManagerFlags, slug: string): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    await client.previews.revoke({ slug });
    print(this, { removed: slug }, `Removed ${slug}: its address leads nowhere from now on.`);
  });
}

function shownUrl({ url, slug }: Preview): string {
  return url ?? `${slug} (its address is known once a gateway has connected)`;
}
