import type { Duplex } from "node:stream";
import type { AnswerHead, RequestHead } from "@clew/proxy";
import { headerLines } from "../header-lines.ts";
import { isArrival, isTopPage } from "../pages/page-navigation.ts";
import { leavePath } from "../visit/own-paths.ts";
import type { Visit } from "../visit/visit.ts";
import { barStyleHash, renderBar } from "./bar.ts";
import { createCodedInserter, isInsertable } from "./bar-inserter.ts";
import { allowsBar, amendPolicies, sandboxes } from "./content-policy.ts";

/** What describes a body byte by byte, and is untrue of one with the bar. */
const bodyDescriptions: readonly string[] = [
  "etag",
  "last-modified",
  "accept-ranges",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
];

/**
 * Taken out of the request for a page that is to have the bar: with one of them the answer might be no whole page, or one
 * that was kept without it. Compressed pages are asked for as they are: what goes between two services of one network is
 * not worth the time of unpacking and packing it again (a service that compresses all the same is served as well).
 */
export const wholePageOnly: readonly string[] = ["accept-encoding", "if-none-match", "if-modified-since"];

const policyNames = ["content-security-policy", "content-security-policy-report-only"] as const;

export interface PageBar {
  readonly remove: readonly string[];
  readonly set: ReadonlyArray<readonly [name: string, value: string]>;
  filter(): Duplex;
}

/** Whether a request is for what may have the bar, if its answer is a page: a page of its own, whole. */
export function mayHaveBar(head: RequestHead, { preview }: Visit): boolean {
  return preview.banner && head.method === "GET" && isTopPage(head) && head.header("range") === undefined;
}

/** What the bar changes in the answer to such a request; undefined where the answer is no page. */
export function pageBar(
  head: RequestHead,
  visit: Visit,
  answer: AnswerHead,
  now: number,
): PageBar | undefined {
  const { rawHeaders } = answer;
  if (!isPage(answer)) return undefined;
  const coding = headerLines(rawHeaders, "content-encoding").join(",") || undefined;
  const changedPolicies = policyNames.filter((name) => headerLines(rawHeaders, name).length > 0);
  const policies = headerLines(rawHeaders, "content-security-policy");
  const isOpen = isArrival(head);
  return {
    remove: [...bodyDescriptions, ...changedPolicies],
    set: changedPolicies.flatMap((name) =>
      headerLines(rawHeaders, name).map(
        (line) => [name, amendPolicies(line, { style: barStyleHash })] as const,
      ),
    ),
    filter: () =>
      createCodedInserter(coding, (documentPolicies) => {
        const own = documentPolicies.map(allowsBar);
        if (own.some(({ style }) => !style)) return undefined;
        const hasFrame = own.every(({ frame }) => frame) && !policies.some(sandboxes);
        const leaveHref = visit.form === "path" ? leavePath : undefined;
        return renderBar({ preview: visit.preview, isOpen, hasFrame, leaveHref, now });
      }),
  };
}

/** HTML that is shown in full, in an encoding that keeps ASCII, and not yet saved as a file. */
function isPage({ status, rawHeaders }: AnswerHead): boolean {
  const one = (name: string): string | undefined => headerLines(rawHeaders, name)[0]?.toLowerCase();
  if (status < 200 || (status >= 300 && status < 400) || [204, 205, 206].includes(status)) return false;
  const type = one("content-type") ?? "";
  if (
    !/^\s*text\/html\s*(?:;|$)/.test(type) ||
    /charset\s*=\s*"?\s*(?:utf-?16|utf-?32|iso-2022|hz-|utf-7)/.test(type)
  )
    return false;
  if (one("content-disposition")?.trimStart().startsWith("attachment")) return false;
  if (one("content-range") !== undefined) return false;
  const codings = headerLines(rawHeaders, "content-encoding");
  return codings.length <= 1 && isInsertable(codings[0]?.trim());
}
