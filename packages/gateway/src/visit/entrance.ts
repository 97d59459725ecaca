import { timingSafeEqual } from "node:crypto";
import { hashLinkToken, type Preview } from "@clew/control";
import type { LocalAnswer, RequestHead } from "@clew/proxy";
import { endedStatus } from "../bar/status-page.ts";
import type { Client } from "../edge/client.ts";
import { type Page, renderPage, wantsHtml } from "../pages/page.ts";
import { isNavigation, isTopPage } from "../pages/page-navigation.ts";
import { absentPage, misusePage, type Refusal, refusedPage } from "../pages/preview-pages.ts";
import { originForm, sameHostLocation, splitQuery, takeParameter } from "../request-target.ts";
import { formatCookie, readCookie } from "./cookies.ts";
import { doorOf, enterPath, isDoorPath, isOwnPath, leavePath, slugOfDoor, statusPath } from "./own-paths.ts";
import type { PreviewDirectory, PreviewFinding } from "./preview-directory.ts";
import { parsePreviewHost } from "./preview-host.ts";
import type { Entrance, Visit } from "./visit.ts";
import { slugOfPass, type Visitor, type VisitorPasses } from "./visitor-pass.ts";

export interface EntranceOptions {
  readonly previewsDomain: string;
  readonly previews: PreviewDirectory;
  readonly passes: VisitorPasses;
}

/** The parameter that a secret link has its token in. */
const linkParameter = "clew-visit";

interface Asked {
  readonly head: RequestHead;
  readonly client: Client;
  readonly path: string;
  /** Without `?`. Most requests are live, and nobody asks for it. */
  readonly query: string;
}

/**
 * Which preview a request is for, and whether its visitor may come in. By host name; where none is a preview's, by the
 * cookie that was set at `/_preview/<slug>`. A visitor is known by a signed pass in a cookie, which is worth nothing for
 * any other preview.
 */
export class Reception {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  enter(head: RequestHead, client: Client): Entrance {
    const { path } = head;
    const asked: Asked = {
      head,
      client,
      path,
      get query() {
        return splitQuery(originForm(head.target))[1];
      },
    };
    const slug = parsePreviewHost(client.authority, this.#options.previewsDomain);
    if (slug !== undefined) return this.#atHost(asked, slug);
    return isDoorPath(path) ? this.#atDoor(asked) : this.#byCookie(asked);
  }

  #atHost(asked: Asked, slug: string): Entrance {
    const finding = this.#options.previews.find(slug);
    if (finding.kind !== "live") return absent(asked, finding, "host");
    const { preview } = finding;
    if (isOwnPath(asked.path) && asked.path === enterPath && asked.head.method === "POST") {
      return passwordTry(asked, preview, enterPath);
    }
    const visitor = this.#known(asked, preview);
    if (visitor === "revoked") return refused(asked, preview, "visitor-revoked", "host");
    const byLink = this.#byLink(asked, preview, visitor, (query) => asked.path + (query && `?${query}`));
    if (byLink !== undefined) return byLink;
    return this.#admitted(asked, preview, "host", visitor);
  }

  /** Below `/_preview` on a host that is no preview's: in, out, and the addresses of the bar and the pages. */
  #atDoor(asked: Asked): Entrance {
    const { head, path } = asked;
    const { previews } = this.#options;
    if (isOwnPath(path) && path !== leavePath) return this.#byCookie(asked);
    const slug = slugOfDoor(path);
    const finding = previews.find(slug ?? "");
    const isWayOut = path === leavePath || slug === "" || (slug === "leave" && finding.kind !== "live");
    if (isWayOut) return left(asked);
    if (finding.kind !== "live") return absent(asked, finding, "path");
    const { preview } = finding;
    if (head.method === "POST") return passwordTry(asked, preview, doorOf(preview.slug));
    // A picture of another site's page must not lead anybody into a preview.
    if (!isTopPage(head) && head.header("sec-fetch-mode") !== undefined) return misused(asked, preview);
    return this.#throughDoor(asked, preview);
  }

  #throughDoor(asked: Asked, preview: Preview): Entrance {
    const visitor = this.#known(asked, preview);
    if (visitor === "revoked") return refused(asked, preview, "visitor-revoked", "path");
    const to = returnAddress(asked.query);
    const byLink = this.#byLink(asked, preview, visitor, () => to);
    if (byLink !== undefined) return byLink;
    if (visitor !== undefined) return redirected(asked, preview, to, []);
    if (preview.access.kind !== "public") return refused(asked, preview, preview.access.kind, "path");
    return redirected(asked, preview, to, [this.#newPass(preview).value]);
  }

  /** Where no host is a preview's: in the preview whose pass the visitor has, if any. */
  #byCookie(asked: Asked): Entrance {
    const { previews } = this.#options;
    const isOwn = isOwnPath(asked.path);
    for (const pass of this.#passesOf(asked)) {
      const slug = slugOfPass(pass);
      const finding = slug === "" ? undefined : previews.find(slug);
      // A cookie that names what never was is none of ours.
      if (finding === undefined || finding.kind === "unknown") continue;
      if (finding.kind !== "live") return absent(asked, finding, "path");
      const { preview } = finding;
      const visitor = this.#known(asked, preview);
      if (visitor === "revoked") return refused(asked, preview, "visitor-revoked", "path");
      if (visitor !== undefined) return this.#admitted(asked, preview, "path", visitor);
      return this.#passIsOver(asked, preview);
    }
    return isOwn
      ? { kind: "answer", answer: answerOf(asked, misusePage), slug: undefined }
      : { kind: "live" };
  }

  /** A page is led to the door, where its visitor may come in anew; live in its place would be a surprise. */
  #passIsOver(asked: Asked, preview: Preview): Entrance {
    if (!isTopPage(asked.head) || isOwnPath(asked.path)) return refused(asked, preview, "link", "path");
    const back = encodeURIComponent(asked.path + (asked.query && `?${asked.query}`));
    return redirected(asked, preview, `${doorOf(preview.slug)}?return=${back}`, []);
  }

  #admitted(asked: Asked, preview: Preview, form: Visit["form"], visitor: Visitor | undefined): Entrance {
    const { path, query, head } = asked;
    if (visitor === undefined && preview.access.kind !== "public") {
      return refused(asked, preview, preview.access.kind, form);
    }
    if (isOwnPath(path)) {
      const visit = { preview, form, visitor, newPass: undefined };
      return { kind: "own", visit, path, query };
    }
    // Who visits a public preview is known by its pages: they alone are counted.
    const fresh = visitor === undefined && isTopPage(head) ? this.#newPass(preview) : undefined;
    return {
      kind: "visit",
      visit: { preview, form, visitor: visitor ?? fresh?.visitor, newPass: fresh?.value },
    };
  }

  /** The first visit by a secret link: its token becomes a pass, and leaves the address. */
  #byLink(
    asked: Asked,
    preview: Preview,
    visitor: Visitor | undefined,
    withoutToken: (query: string) => string,
  ): Entrance | undefined {
    const { access } = preview;
    const { method } = asked.head;
    if (access.kind !== "link" || (method !== "GET" && method !== "HEAD")) return undefined;
    const token = takeParameter(asked.query, linkParameter);
    if (token === undefined) return undefined;
    const isRight = isSame(hashLinkToken(token.value), access.tokenHash);
    if (!isRight && visitor === undefined) return undefined;
    const passes = visitor === undefined ? [this.#newPass(preview).value] : [];
    return redirected(asked, preview, withoutToken(token.rest), passes);
  }

  #known(asked: Asked, preview: Preview): Visitor | "revoked" | undefined {
    const { passes, previews } = this.#options;
    for (const value of this.#passesOf(asked)) {
      const visitor = passes.check(value, preview);
      if (visitor !== undefined) return previews.isRevoked(preview.slug, visitor.id) ? "revoked" : visitor;
    }
    return undefined;
  }

  #passesOf({ head, client }: Asked): readonly string[] {
    // Most have none, and are not to pay for it.
    if (head.header("cookie")?.includes("clew-visit") !== true) return [];
    return readCookie(head.rawHeaders, "clew-visit", client.isSecure);
  }

  #newPass(preview: Preview): ReturnType<VisitorPasses["issue"]> {
    return this.#options.passes.issue(preview);
  }
}

/** Where a visitor goes on: what the parameter `return` says, as a path of this host. */
export function returnAddress(query: string): string {
  return sameHostLocation(new URLSearchParams(query).get("return") ?? "/");
}

/** Compares in constant time. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Sent on with the visitor's cookie; the address that was asked for, which may hold a secret, is told to nobody. */
export function redirect(
  location: string,
  cookies: readonly string[],
  more: LocalAnswer["headers"] = [],
): LocalAnswer {
  return {
    status: 303,
    headers: [
      ["location", sameHostLocation(location)],
      ["cache-control", "no-store"],
      ["referrer-policy", "no-referrer"],
      ...cookies.map((cookie) => ["set-cookie", cookie] as const),
      ...more,
    ],
    body: "",
  };
}

/**
 * For who enters by a door: what the browser has kept of the live version would be taken for the preview's. The other way
 * round needs nothing, since a preview's answers vary by cookie. Source: Clear Site Data §3.1
 */
export function doorHeaders(path: string): LocalAnswer["headers"] {
  return isDoorPath(path) && !isOwnPath(path) ? [["clear-site-data", '"cache"']] : [];
}

export function passCookie(value: string, preview: Preview, { isSecure }: Client): string {
  return formatCookie("clew-visit", value, { isSecure, maxAgeMs: preview.remainingMs });
}

function redirected(
  { client, path }: Asked,
  preview: Preview,
  location: string,
  passes: readonly string[],
): Entrance {
  const cookies = passes.map((value) => passCookie(value, preview, client));
  const answer = redirect(location, cookies, passes.length === 0 ? [] : doorHeaders(path));
  return { kind: "answer", answer, slug: preview.slug };
}

function left({ client: { isSecure } }: Asked): Entrance {
  const cookies = (["clew-visit", "clew-away"] as const).map((name) =>
    formatCookie(name, "", { isSecure, maxAgeMs: 0 }),
  );
  return { kind: "answer", answer: redirect("/", cookies), slug: undefined };
}

function absent(
  asked: Asked,
  finding: Exclude<PreviewFinding, { kind: "live" }>,
  form: Visit["form"],
): Entrance {
  return { kind: "answer", answer: answerOf(asked, withWayOut(absentPage(finding), form)), slug: undefined };
}

function refused(asked: Asked, preview: Preview, why: Refusal, form: Visit["form"]): Entrance {
  const { slug } = preview;
  const isPassword = preview.access.kind === "password";
  const action = form === "host" ? enterPath : doorOf(slug);
  const asIs = asked.path + (asked.query && `?${asked.query}`);
  const isDoor = isDoorPath(asked.path);
  const returnTo = isDoor ? returnAddress(asked.query) : sameHostLocation(asIs);
  const kind = why === "link" && isPassword ? "password" : why;
  const page = withWayOut(refusedPage(kind, { action, returnTo }), form);
  return { kind: "answer", answer: answerOf(asked, page), slug };
}

function misused(asked: Asked, preview: Preview): Entrance {
  return { kind: "answer", answer: answerOf(asked, misusePage), slug: preview.slug };
}

function passwordTry(asked: Asked, preview: Preview, action: string): Entrance {
  const isOurs = asked.head.header("sec-fetch-site") !== "cross-site";
  if (preview.access.kind !== "password" || !isOurs) return misused(asked, preview);
  return { kind: "password", preview, action };
}

function withWayOut(page: Page, form: Visit["form"]): Page {
  if (form === "host" || page.status === 404) return page;
  return { ...page, links: [...(page.links ?? []), { href: leavePath, text: "Go to the live version" }] };
}

function answerOf({ head, path }: Asked, page: Page): LocalAnswer {
  if (path === statusPath) return endedStatus(page.status, page.code);
  return renderPage(page, wantsHtml(head) && isNavigation(head));
}
