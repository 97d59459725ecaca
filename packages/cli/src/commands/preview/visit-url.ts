import type { PreviewGrant, PreviewInfo } from "@clew/control";

/** What a gateway takes a link's token from, once: it becomes a cookie and leaves the address bar. */
const visitParameter = "clew-visit";

/** The address to give out; undefined while no gateway has been there. */
export function visitUrl({ url, linkToken }: Pick<PreviewGrant, "url" | "linkToken">): string | undefined {
  if (url === undefined || linkToken === undefined) return url;
  const link = new URL(url);
  link.searchParams.set(visitParameter, linkToken);
  return link.href;
}

/** A preview without an address is named instead. */
export function shownUrl({ slug }: PreviewInfo, url: string | undefined): string {
  return url ?? `${slug} (its address is known once a gateway has connected)`;
}

const audiences: Readonly<Record<PreviewInfo["access"], string>> = {
  public: "for everybody who opens it",
  link: "for whoever has this link",
  password: "for whoever knows the password",
};

/** Who may visit, as a person reads it. */
export function describeAccess(access: PreviewInfo["access"]): string {
  return audiences[access];
}
