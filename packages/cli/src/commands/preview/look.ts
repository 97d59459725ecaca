import type { PreviewInfo, PreviewVisitor, Replacement } from "@clew/control";
import { type CliContext, type ManagerFlags, print } from "../../cli-context.ts";
import { withManager } from "../../developer/manager-access.ts";
import { describeDuration, layOut } from "../../output/table.ts";
import { shownUrl, visitUrl } from "./visit-url.ts";

export function previewList(
  this: CliContext,
  flags: ManagerFlags & { readonly route?: string },
): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    const { previews } = await client.previews.list({ route: flags.route });
    const rows = previews.map((preview) => [
      preview.slug,
      preview.route,
      preview.owner,
      preview.access,
      describeDuration(preview.remainingMs),
      shownUrl(preview, preview.url),
    ]);
    const text =
      rows.length === 0
        ? "No previews. Make one: clew preview create --route NAME"
        : layOut([["PREVIEW", "ROUTE", "OWNER", "ACCESS", "EXPIRES IN", "URL"], ...rows], "");
    print(this, { previews }, text);
  });
}

export function previewShow(
  this: CliContext,
  flags: ManagerFlags & { readonly link: boolean },
  slug: string,
): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    const details = await client.previews.show({ slug, withLink: flags.link });
    if (flags.link) {
      const { preview, linkToken } = details;
      const url = visitUrl({ ...preview, linkToken });
      print(this, { visitUrl: url }, shownUrl(preview, url));
      return;
    }
    const text = [layOut(factRows(details.preview), ""), describeVisitors(details.visitors)].join("\n\n");
    print(this, details, text);
  });
}

function factRows(preview: PreviewInfo): string[][] {
  const { slug, url, route, owner, access, remainingMs, replaces, fields = {}, headers = [] } = preview;
  const carried = [
    `route ${route}`,
    ...Object.entries(fields).map(([name, value]) => `field ${name} = ${JSON.stringify(value)}`),
    ...headers.map(([name, value]) => `header ${name}: ${value}`),
  ];
  return [
    ["preview", slug],
    ["url", shownUrl(preview, url)],
    ["owner", owner],
    ["access", access === "link" ? `link (whole: clew preview show ${slug} --link)` : access],
    ["expires in", describeDuration(remainingMs)],
    ...(preview.ingress === undefined ? [] : [["ingress", preview.ingress]]),
    ["bar", preview.banner ? "shown" : "left out"],
    ...titled("carries", carried),
    ...titled("replaces", replaces.length === 0 ? ["nothing now"] : replaces.map(describeReplacement)),
  ];
}

function titled(title: string, lines: readonly string[]): string[][] {
  return lines.map((line, index) => [index === 0 ? title : "", line]);
}

function describeReplacement({ service, owner, kind, reachable }: Replacement): string {
  if (kind === "address") return `${service}, by another instance of ${owner}'s`;
  const state = reachable ? "connected" : "away: visitors are offered the live version";
  return `${service}, by ${owner}'s machine (${state})`;
}

function describeVisitors(visitors: readonly PreviewVisitor[]): string {
  if (visitors.length === 0) return "Nobody has visited it yet.";
  const ago = (at: number): string => `${describeDuration(Date.now() - at)} ago`;
  const rows = visitors.map(({ visitor, visits, firstAt, lastAt, path, userAgent = "", revoked }) => [
    revoked ? `${visitor} (revoked)` : visitor,
    String(visits),
    ago(firstAt),
    ago(lastAt),
    path,
    userAgent,
  ]);
  return layOut([["VISITOR", "VISITS", "FIRST", "LAST", "LAST PAGE", "BROWSER"], ...rows], "");
}
