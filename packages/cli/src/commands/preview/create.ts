import { type CliContext, type ManagerFlags, print } from "../../cli-context.ts";
import { withManager } from "../../developer/manager-access.ts";
import { defaultRoute, ownerName } from "../../developer/owner.ts";
import { describeDuration } from "../../output/table.ts";
import { readSettings, type SettingFlags } from "./settings.ts";
import { describeAccess, shownUrl, visitUrl } from "./visit-url.ts";

interface CreateFlags extends ManagerFlags, SettingFlags {
  readonly route?: string;
  readonly name?: string;
  readonly expires?: number;
  readonly owner?: string;
}

/** The first line of the output is the address to give out, and nothing else. */
export async function previewCreate(this: CliContext, flags: CreateFlags): Promise<void> {
  const settings = await readSettings(this, flags);
  await withManager(this, flags.manager, async ({ client }) => {
    const owner = ownerName(flags.owner, this.env);
    const route = flags.route ?? defaultRoute(owner);
    const { name, expires } = flags;
    const { preview } = await client.previews.create({
      route,
      owner,
      name,
      expiresInMs: expires,
      ...settings,
    });
    const url = visitUrl(preview);
    const about = `route ${route}, for ${describeDuration(preview.remainingMs)}, ${describeAccess(preview.access)}`;
    print(this, { ...preview, visitUrl: url }, `${shownUrl(preview, url)}\n${about}`);
  });
}
