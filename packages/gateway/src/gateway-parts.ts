import { randomBytes, randomUUID } from "node:crypto";
import { isLoopbackHost } from "@clew/context";
import { BelievedKeys, createManagerClient, type ManagerClient } from "@clew/control";
import { type Route, tcpUpstream } from "@clew/proxy";
import type { Logger } from "pino";
import { createPasswordDesk } from "./desk/password-desk.ts";
import { type AccessLog, createAccessLog } from "./edge/access-log.ts";
import { hostsOf, upstreamOf } from "./edge/ingress.ts";
import { createPartners } from "./edge/partners.ts";
import { createRateLimit } from "./edge/rate-limit.ts";
import type { ReportSink } from "./explanation.ts";
import {
  checkGatewayOptions,
  defaultGatewayLimits,
  defaultPreviewsDomain,
  type GatewayLimits,
  type GatewayOptions,
} from "./gateway-options.ts";
import { createPipeline } from "./pipeline.ts";
import { watchPreviewsOf } from "./preview-watch.ts";
import { Reception } from "./visit/entrance.ts";
import { parsePreviewUrl } from "./visit/preview-address.ts";
import { createPreviewDirectory, type PreviewDirectory } from "./visit/preview-directory.ts";
import type { VisitIngress } from "./visit/visit-plan.ts";
import { createVisitReports, type VisitReports } from "./visit/visit-reports.ts";
import { createVisitorPasses, type VisitorPasses } from "./visit/visitor-pass.ts";

/** A gateway but for its listener. */
export interface GatewayParts {
  readonly id: string;
  readonly route: Route;
  /** What people are told of previews' addresses, or the host of it, with `{slug}`. */
  readonly previewsAt: string;
  /** Undefined where none is kept. */
  readonly accessLog: AccessLog | undefined;
  /** Watches previews and keys until `close`. Resolves with the first list. */
  watch(addresses: { readonly url: string; readonly previewUrl: string }): Promise<void>;
  /** Ends the watch, so that the manager no longer counts on this gateway. */
  unwatch(): void;
  close(): Promise<void>;
}

/** What requests and the manager's word meet in. */
interface Shared {
  readonly id: string;
  readonly client: ManagerClient;
  readonly limits: GatewayLimits;
  readonly previews: PreviewDirectory;
  readonly keys: BelievedKeys;
  /** Until the manager has told the one that all gateways share it is one of its own: then its visitors come in anew. */
  readonly visitorKey: { current: Buffer };
  readonly passes: VisitorPasses;
  readonly visits: VisitReports;
  readonly accessLog: AccessLog | undefined;
  readonly previewsAt: string;
  readonly domain: string;
  readonly sharesHost: boolean;
}

/** Throws `E_GATEWAY_EXPOSED`, `E_GATEWAY_ACCEPT`, `E_GATEWAY_PARTNER`, `E_GATEWAY_PREVIEW_URL`. */
export function createParts(options: GatewayOptions): GatewayParts {
  checkGatewayOptions(options);
  const partnerOf = createPartners(options.partners ?? []);
  const shared = createShared(options);
  const { id, client, previews, keys, visitorKey, visits, accessLog, previewsAt } = shared;
  const desk = createDesk(shared);
  const stop = new AbortController();
  const ingresses = Object.keys(options.ingresses ?? {});
  return {
    id,
    route: createRoute(options, shared, { desk, partnerOf }),
    previewsAt,
    accessLog,
    watch: (addresses) =>
      watchPreviewsOf({
        client,
        gateway: { id, ...addresses, ingresses },
        previews,
        keys,
        useVisitorKey: (key) => {
          visitorKey.current = key;
        },
        log: options.log,
        signal: stop.signal,
      }),
    unwatch: () => stop.abort(),
    async close() {
      stop.abort();
      desk.close();
      await visits.close();
      client.close();
      await accessLog?.close();
    },
  };
}

function createShared(options: GatewayOptions): Shared {
  const { manager, log, previewUrl } = options;
  const ownDomain = (options.previewsDomain ?? defaultPreviewsDomain).toLowerCase();
  const told = previewUrl === undefined ? undefined : parsePreviewUrl(previewUrl, ownDomain);
  const limits: GatewayLimits = { ...defaultGatewayLimits, ...options.limits };
  const client = createManagerClient({ url: manager.url, token: manager.token, service: "gateway" });
  const visitorKey = { current: randomBytes(32) };
  return {
    id: `gateway-${randomUUID().slice(0, 8)}`,
    client,
    limits,
    previews: createPreviewDirectory(limits.maxEndedPreviews),
    keys: new BelievedKeys({ plain: isLoopbackHost(options.listen.host) }),
    visitorKey,
    passes: createVisitorPasses(() => visitorKey.current),
    visits: createVisitReports(client, limits.maxPendingVisits, log),
    accessLog: openAccessLog(options),
    previewsAt: told?.url ?? `{slug}.${ownDomain}`,
    domain: told?.domain ?? ownDomain,
    sharesHost: told?.sharesHost ?? false,
  };
}

function createDesk({ passes, limits }: Shared): ReturnType<typeof createPasswordDesk> {
  return createPasswordDesk({
    passes,
    perClient: limits.passwordTriesPerClient,
    perPreview: limits.passwordTriesPerPreview,
    maxCounted: limits.maxCountedClients,
    maxChecks: limits.maxPasswordChecks,
  });
}

function createRoute(
  options: GatewayOptions,
  { id, client, limits, previews, keys, passes, visits, accessLog, domain, sharesHost }: Shared,
  more: Pick<Parameters<typeof createPipeline>[0], "desk" | "partnerOf">,
): Route {
  const { accept, ingress, log } = options;
  return createPipeline({
    ...more,
    gateway: id,
    reception: new Reception({ previewsDomain: domain, previews, passes }),
    accept,
    ingress: tcpUpstream(ingress.host, ingress.port),
    ingresses: ingressesOf(options),
    sharesHost,
    previewRequests: createRateLimit(limits.previewRequests, limits.maxCountedClients),
    visits,
    accessLog,
    keys: () => keys.mode,
    report: createReportSink(client, limits.maxPendingReports, log),
  });
}

/** The gateway's own under "". */
function ingressesOf({ ingress, ingresses = {} }: GatewayOptions): ReadonlyMap<string, VisitIngress> {
  const { requestHost, ...address } = ingress;
  return new Map(
    [["", { address, requestHost }] as const, ...Object.entries(ingresses)].map(([name, each]) => [
      name,
      { upstream: upstreamOf(each), hosts: hostsOf(each) },
    ]),
  );
}

function openAccessLog({ accessLog, log }: GatewayOptions): AccessLog | undefined {
  if (accessLog === undefined) return undefined;
  return createAccessLog(accessLog, (error) =>
    log.error({ event: "gateway.access_log", err: error }, "The access log cannot be written."),
  );
}

/** Explained requests are few, and somebody waits for each: every report is sent at once, by itself. */
function createReportSink(client: ManagerClient, maxPending: number, log: Logger): ReportSink {
  let pending = 0;
  return (report) => {
    if (pending >= maxPending) return;
    pending += 1;
    client.decisions
      .report({ decisions: [report] })
      .catch((error: unknown) =>
        log.debug({ event: "gateway.report_lost", err: error }, "A report was lost."),
      )
      .finally(() => {
        pending -= 1;
      });
  };
}
