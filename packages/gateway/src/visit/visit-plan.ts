import { validateHeaderName, validateHeaderValue } from "node:http";
import { emptyContext, type JsonValue } from "@clew/context";
import type { Preview } from "@clew/control";
import type { AnswerHead, HeaderEdits, Plan, RequestHead, Upstream } from "@clew/proxy";
import { mayHaveBar, pageBar, wholePageOnly } from "../bar/page-bar.ts";
import type { Client } from "../edge/client.ts";
import { type HostMapping, mapAnswer, mapRequest } from "../edge/host-mapping.ts";
import { renderPage, wantsHtml } from "../pages/page.ts";
import { isNavigation } from "../pages/page-navigation.ts";
import { ingressPage } from "../pages/preview-pages.ts";
import { type AnswerEdits, cacheEdits, cookieEdits } from "./answer-edits.ts";
import { withoutGatewayCookies } from "./cookies.ts";
import { passCookie } from "./entrance.ts";
import type { Visit } from "./visit.ts";

/** Where a preview leads. */
export interface VisitIngress {
  readonly upstream: Upstream;
  /** Undefined where the ingress is asked for the host that the visitor asked for. */
  readonly hosts: readonly [string, ...string[]] | undefined;
}

export interface VisitPlanOptions {
  readonly head: RequestHead;
  readonly client: Client;
  readonly visit: Visit;
  readonly ingress: VisitIngress;
  /** What every request through the gateway gets. */
  readonly edits: { readonly remove: readonly string[]; readonly set: AnswerEdits["set"] };
}

/** How a visitor's request is forwarded, and what its answer becomes. */
export function planVisit(options: VisitPlanOptions): Plan {
  const { head, client, visit, ingress } = options;
  const mapping: HostMapping | undefined =
    ingress.hosts === undefined ? undefined : { visitorOrigin: client.origin, ingressHosts: ingress.hosts };
  const hasBar = mayHaveBar(head, visit);
  const barOf = (answer: AnswerHead): ReturnType<typeof pageBar> =>
    hasBar ? pageBar(head, visit, answer, Date.now()) : undefined;
  return {
    upstream: ingress.upstream,
    requestHeaders: requestEdits(options, mapping, hasBar),
    responseHeaders: (answer) => joined(answerEdits(options, answer, mapping), barOf(answer)),
    ...(hasBar ? { filterBody: (answer: AnswerHead) => barOf(answer)?.filter() } : {}),
    ...(isNavigation(head) ? { failed: ({ code }) => renderPage(ingressPage(code), wantsHtml(head)) } : {}),
  };
}

function requestEdits(
  { head, visit, edits }: VisitPlanOptions,
  mapping: HostMapping | undefined,
  hasBar: boolean,
): HeaderEdits {
  const cookies = withoutGatewayCookies(head.rawHeaders);
  const own = visit.preview.headers ?? [];
  return joined(
    edits,
    cookies && { remove: ["cookie"], set: cookies.map((line) => ["cookie", line] as const) },
    mapping && mapRequest(head, mapping),
    hasBar ? { remove: wholePageOnly, set: [["accept-encoding", "identity"]] } : undefined,
    { remove: own.map(([name]) => name.toLowerCase()), set: own },
  );
}

function answerEdits(
  { client, visit }: VisitPlanOptions,
  answer: AnswerHead,
  mapping: HostMapping | undefined,
): AnswerEdits {
  const { newPass, preview } = visit;
  const own = newPass === undefined ? [] : [passCookie(newPass, preview, client)];
  const cookies = cookieEdits(answer, own);
  // Of an answer that opens a WebSocket nothing is kept.
  const cache = answer.status === 101 ? undefined : cacheEdits(answer, visit.form);
  return joined(cookies, cache, mapping && mapAnswer(answer, mapping));
}

function joined(...all: ReadonlyArray<Partial<AnswerEdits> | undefined>): AnswerEdits {
  return {
    remove: all.flatMap((edits) => edits?.remove ?? []),
    set: all.flatMap((edits) => edits?.set ?? []),
  };
}

/** Names that a preview's own headers may not have: framing, the hop, the host, and what the gateway itself vouches for. */
const reservedNames: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "upgrade",
  "te",
  "trailer",
  "expect",
  "baggage",
  "x-forrst-caller",
]);

/** Of a preview's fields and headers those that can be sent and are not Clew's own: the manager's word is checked, not trusted. */
export function usablePreview(preview: Preview): Preview {
  const headers = preview.headers?.filter(([name, value]) => {
    const lower = name.toLowerCase();
    return !reservedNames.has(lower) && !lower.startsWith("clew-") && isLine(name, value);
  });
  const fields =
    preview.fields &&
    Object.fromEntries(
      Object.entries(preview.fields).filter(
        ([name, value]) => !name.startsWith("clew-") && isField(name, value),
      ),
    );
  return { ...preview, headers, fields };
}

function isField(name: string, value: JsonValue): boolean {
  try {
    emptyContext.with({ [name]: value });
    return true;
  } catch {
    // Such as `caller`, which says who sends a request.
    return false;
  }
}

function isLine(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
