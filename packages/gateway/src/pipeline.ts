import { type Context, type RoutingKeyMode, routeField } from "@clew/context";
import type { AnswerHead, LocalAnswer, Outcome, Plan, RequestHead, Route, Upstream } from "@clew/proxy";
import { statusPage } from "./bar/status-page.ts";
import type { PasswordDesk } from "./desk/password-desk.ts";
import type { AccessLog } from "./edge/access-log.ts";
import { type Client, clientOf } from "./edge/client.ts";
import { forwardedHeaderNames, forwardedHeaders } from "./edge/forwarded-headers.ts";
import { acceptOutsideContext } from "./edge/outside-context.ts";
import type { Partner, PartnerOf } from "./edge/partners.ts";
import type { RateLimit } from "./edge/rate-limit.ts";
import { type ReportSink, reportExplained } from "./explanation.ts";
import { renderPage, wantsHtml } from "./pages/page.ts";
import { isNavigation, isTopPage } from "./pages/page-navigation.ts";
import { awayPage, misusePage, noIngressPage, tooManyRequestsPage } from "./pages/preview-pages.ts";
import { sameHostLocation } from "./request-target.ts";
import { varyByCookie } from "./visit/answer-edits.ts";
import { formatCookie, readCookie } from "./visit/cookies.ts";
import { type Reception, redirect, returnAddress } from "./visit/entrance.ts";
import { showLivePath, statusPath } from "./visit/own-paths.ts";
import type { Entrance, Visit } from "./visit/visit.ts";
import { planVisit, type VisitIngress } from "./visit/visit-plan.ts";
import type { VisitReports } from "./visit/visit-reports.ts";

export interface PipelineOptions {
  readonly gateway: string;
  readonly reception: Reception;
  readonly desk: PasswordDesk;
  readonly accept: readonly string[];
  readonly partnerOf: PartnerOf;
  readonly ingress: Upstream;
  /** Previews are told of at `/_preview/<slug>`: they and live share one host, and what caches keep of it. */
  readonly sharesHost: boolean;
  /** By the name that a preview asks for; "" is the gateway's own. */
  readonly ingresses: ReadonlyMap<string, VisitIngress>;
  readonly previewRequests: RateLimit;
  readonly visits: VisitReports;
  readonly report: ReportSink;
  /** Undefined where none is kept. */
  readonly accessLog: AccessLog | undefined;
  /** Which routing keys are believed now. */
  keys(): RoutingKeyMode;
}

/** Never taken from outside. The trace is: it selects nothing, and losing it would hide who waits for whom. */
const untrustedHeaders: readonly string[] = [
  "baggage",
  "x-forrst-caller",
  "clew-edge",
  "clew-ticket",
  ...forwardedHeaderNames,
];

/** The life of a request in the gateway, stage by stage. The proxy has read its head, and forwards it by the plan returned. */
export function createPipeline(options: PipelineOptions): Route {
  return (head) => {
    const arrivedAtMs = performance.now();

    // Who asks, and which partner that is, if any.
    const client = clientOf(head);
    const partner = options.partnerOf(head, client);
    const request: GatewayRequest = { head, client, partner, arrivedAtMs };

    // Preview? By host name, so that cookies, redirects and WebSockets of the page stay within it; or by the cookie of one
    // who came in by its door. The proxy refuses a target that names another host.
    const entrance = options.reception.enter(head, client);

    // What is answered here, or else forwarded.
    const plan = planOf(options, request, entrance);

    // Access log.
    return options.accessLog === undefined ? plan : logged(options.accessLog, request, entrance, plan);
  };
}

interface GatewayRequest {
  readonly head: RequestHead;
  readonly client: Client;
  readonly partner: Partner | undefined;
  /** By `performance.now()`. */
  readonly arrivedAtMs: number;
}

function planOf(options: PipelineOptions, request: GatewayRequest, entrance: Entrance): Plan | LocalAnswer {
  switch (entrance.kind) {
    case "answer":
      return entrance.answer;
    case "password": {
      const { preview, action } = entrance;
      const { head, client } = request;
      return options.desk.plan({ preview, action, client, isHtml: wantsHtml(head) });
    }
    case "own":
      return answerOwn(request, entrance);
    case "visit":
      return visitPlan(options, request, entrance.visit);
    case "live":
      return livePlan(options, request);
  }
}

/** The bar's and the pages' own addresses. */
function answerOwn(
  { head, client }: GatewayRequest,
  { visit, path, query }: Extract<Entrance, { kind: "own" }>,
): LocalAnswer {
  if (path === statusPath) return statusPage(head, visit, Date.now());
  if (path === showLivePath) {
    const choice = formatCookie("clew-away", visit.preview.slug, { isSecure: client.isSecure });
    return redirect(returnAddress(query), [choice]);
  }
  return renderPage({ ...misusePage, status: 404 }, wantsHtml(head));
}

function visitPlan(options: PipelineOptions, request: GatewayRequest, visit: Visit): Plan | LocalAnswer {
  const { head, client } = request;
  const { preview } = visit;
  const isHtml = wantsHtml(head) && isNavigation(head);

  // Too many? One preview must not take the system from all.
  const taken = options.previewRequests.take(preview.slug);
  if (!taken.ok) return renderPage(tooManyRequestsPage(Math.ceil(taken.waitMs / 1_000)), isHtml);

  // Whoever looks at a page is told when what it should show is away; all else falls back to live by itself (I3).
  const isAway = preview.replaces.some(({ reachable }) => !reachable);
  if (isAway && isTopPage(head) && !hasChosenLive(request, visit)) {
    const back = encodeURIComponent(sameHostLocation(head.target.replace(/^[a-z]+:\/\/[^/?#]*/i, "")));
    return renderPage(awayPage(preview, `${showLivePath}?return=${back}`), isHtml);
  }

  // Told to the owner: pages, not each picture in them.
  if (visit.visitor !== undefined && isTopPage(head)) {
    const { slug } = preview;
    const userAgent = head.header("user-agent");
    options.visits.add({ slug, visitor: visit.visitor.id, at: Date.now(), path: head.path, userAgent });
  }

  const ingress = options.ingresses.get(preview.ingress ?? "");
  if (ingress === undefined) return renderPage(noIngressPage(preview.ingress ?? ""), isHtml);

  // The preview's routing key, in place of any other; it goes first in the header, where no limit cuts it off. Its fields
  // are in place of those of one name from outside.
  const outside = outsideContext(options, request);
  const context = outside.with({ ...preview.fields, [routeField]: preview.key });
  const plan = planVisit({ head, client, visit, ingress, edits: edgeEdits(request, context) });
  return explained(options, request, outside, plan);
}

function livePlan(options: PipelineOptions, request: GatewayRequest): Plan {
  // Context from outside: stripped, but for what is accepted or proven (I5).
  const context = outsideContext(options, request);
  // The host stays as the client sent it.
  const plan: Plan = {
    upstream: options.ingress,
    requestHeaders: edgeEdits(request, context),
    // Where the same address is a preview's to whoever has its cookie, no cache may take one for the other.
    ...(options.sharesHost
      ? { responseHeaders: ({ rawHeaders }: AnswerHead) => ({ set: varyByCookie(rawHeaders) }) }
      : {}),
  };
  return explained(options, request, context, plan);
}

function hasChosenLive({ head, client }: GatewayRequest, { preview }: Visit): boolean {
  return readCookie(head.rawHeaders, "clew-away", client.isSecure).includes(preview.slug);
}

function outsideContext(options: PipelineOptions, { head, partner }: GatewayRequest): Context {
  const accept = partner === undefined ? options.accept : [...options.accept, ...partner.accept];
  return acceptOutsideContext(head, { accept, keys: options.keys() });
}

/** `clew-edge` tells services that this came from outside. */
function edgeEdits(
  { head, client }: GatewayRequest,
  context: Context,
): {
  readonly remove: readonly string[];
  readonly set: ReadonlyArray<readonly [name: string, value: string]>;
} {
  const baggage = context.size === 0 ? [] : [["baggage", context.baggage] as const];
  return {
    remove: untrustedHeaders,
    set: [...baggage, ["clew-edge", "1"], ...forwardedHeaders(head, client)],
  };
}

/** Reports what was done, where an explanation is wanted. */
function explained(
  options: PipelineOptions,
  { head, arrivedAtMs }: GatewayRequest,
  context: Context,
  plan: Plan,
): Plan {
  const { gateway, report } = options;
  const done = reportExplained({ gateway, report, keys: options.keys(), head, context, arrivedAtMs });
  return done === undefined ? plan : { ...plan, done };
}

/** The bar looks after itself all the time: it would fill the log. */
function logged(
  log: AccessLog,
  request: GatewayRequest,
  entrance: Entrance,
  plan: Plan | LocalAnswer,
): Plan | LocalAnswer {
  const { head, client, partner, arrivedAtMs } = request;
  if (head.path === statusPath) return plan;
  const write = (status: number | undefined, error: string | undefined, broken?: Outcome["broken"]): void => {
    const visit = entrance.kind === "visit" || entrance.kind === "own" ? entrance.visit : undefined;
    log.write({
      client: client.address,
      method: head.method,
      host: client.authority,
      path: head.path,
      status,
      durationMs: Math.round((performance.now() - arrivedAtMs) * 1_000) / 1_000,
      preview: visit?.preview.slug ?? slugOf(entrance),
      visitor: visit?.visitor?.id,
      partner: partner?.name,
      userAgent: head.header("user-agent"),
      error,
      broken,
    });
  };
  if (!("upstream" in plan)) {
    write(plan.status, plan.headers.find(([name]) => name === "clew-error")?.[1]);
    return plan;
  }
  return {
    ...plan,
    done(outcome) {
      plan.done?.(outcome);
      write(outcome.status, outcome.failure?.code, outcome.broken);
    },
  };
}

function slugOf(entrance: Entrance): string | undefined {
  if (entrance.kind === "answer") return entrance.slug;
  return entrance.kind === "password" ? entrance.preview.slug : undefined;
}
