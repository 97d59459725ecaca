import { randomBytes, randomUUID } from "node:crypto";
import { createManagerClient, type ManagerClient } from "@clew/control";
import { type Proxy as GatewayProxy, type ProxyStats, startProxy, tcpUpstream } from "@clew/proxy";
import type { Logger } from "pino";
import { createPasswordDesk } from "./desk/password-desk.ts";
import { type AccessLog, createAccessLog } from "./edge/access-log.ts";
import { BelievedKeys } from "./edge/believed-keys.ts";
import { hostsOf, upstreamOf } from "./edge/ingress.ts";
import { createPartners } from "./edge/partners.ts";
import { createRateLimit } from "./edge/rate-limit.ts";
import { listenTls, type TlsListener } from "./edge/tls-listener.ts";
import type { ReportSink } from "./explanation.ts";
import {
  type Address,
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
import { createPreviewDirectory } from "./visit/preview-directory.ts";
import type { VisitIngress } from "./visit/visit-plan.ts";
import { createVisitReports } from "./visit/visit-reports.ts";
import { createVisitorPasses } from "./visit/visitor-pass.ts";

export interface Gateway {
  readonly id: string;
  readonly address: Address;
  readonly url: string;
  /** A preview's address, with `{slug}` where its slug goes. */
  readonly previewUrl: string;
  /** What its proxy has counted. */
  readonly stats: Readonly<ProxyStats>;
  /** Resolves with the first list of previews. Until then nothing from outside is believed. */
  readonly previewsReceived: Promise<void>;
  /** Reads certificates anew and opens the access log anew, as on SIGHUP. With a fault in a certificate the old ones stay. */
  reload(): void;
  /** Stops accepting, lets running requests end within `graceMs`, and leaves the manager. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Rejects with `E_GATEWAY_EXPOSED`, `E_GATEWAY_ACCEPT`, `E_GATEWAY_PARTNER`, `E_GATEWAY_PREVIEW_URL`, `E_GATEWAY_TLS`, or
 * the proxy's error when the port is taken.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  checkGatewayOptions(options);
  const { ingress, manager, log } = options;
  const id = `gateway-${randomUUID().slice(0, 8)}`;
  const limits: GatewayLimits = { ...defaultGatewayLimits, ...options.limits };
  const ownDomain = (options.previewsDomain ?? defaultPreviewsDomain).toLowerCase();
  const told = options.previewUrl === undefined ? undefined : parsePreviewUrl(options.previewUrl, ownDomain);
  const partnerOf = createPartners(options.partners ?? []);
  const client = createManagerClient({ url: manager.url, token: manager.token, service: "gateway" });
  const previews = createPreviewDirectory(limits.maxEndedPreviews);
  const keys = new BelievedKeys(options.listen.host);
  // Until the manager has told the one that all gateways share: then its visitors come in anew.
  let visitorKey: Buffer = randomBytes(32);
  const passes = createVisitorPasses(() => visitorKey);
  const desk = createPasswordDesk({
    passes,
    perClient: limits.passwordTriesPerClient,
    perPreview: limits.passwordTriesPerPreview,
    maxCounted: limits.maxCountedClients,
    maxChecks: limits.maxPasswordChecks,
  });
  const visits = createVisitReports(client, limits.maxPendingVisits, log);
  const accessLog = openAccessLog(options);
  const serving = await listen(options, {
    gateway: id,
    reception: new Reception({ previewsDomain: told?.domain ?? ownDomain, previews, passes }),
    desk,
    accept: options.accept,
    partnerOf,
    ingress: tcpUpstream(ingress.host, ingress.port),
    ingresses: ingressesOf(options),
    sharesHost: told?.sharesHost ?? false,
    previewRequests: createRateLimit(limits.previewRequests, limits.maxCountedClients),
    visits,
    accessLog,
    keys: () => keys.mode,
    report: createReportSink(client, limits.maxPendingReports, log),
  }).catch(async (error: unknown) => {
    client.close();
    await accessLog?.close();
    throw error;
  });

  const { address } = serving.proxy;
  const { url, previewUrl } = addressesOf(options, address, told?.url ?? `{slug}.${ownDomain}`);
  const stop = new AbortController();
  const previewsReceived = watchPreviewsOf({
    client,
    gateway: { id, url, previewUrl, ingresses: Object.keys(options.ingresses ?? {}) },
    previews,
    keys,
    useVisitorKey: (key) => {
      visitorKey = key;
    },
    log,
    signal: stop.signal,
  });
  log.info({ event: "gateway.started", gateway: id, url, ingress: ingress.service }, "The gateway serves.");
  return {
    id,
    address,
    url,
    previewUrl,
    stats: serving.proxy.stats,
    previewsReceived,
    reload() {
      accessLog?.reopen();
      serving.tls?.reload();
      log.info({ event: "gateway.reloaded" }, "Certificates and access log were opened anew.");
    },
    async close(closeOptions) {
      stop.abort();
      serving.tls?.stop();
      await serving.proxy.close(closeOptions);
      desk.close();
      await visits.close();
      client.close();
      await accessLog?.close();
      log.info({ event: "gateway.closed", gateway: id }, "The gateway has ended.");
    },
  };
}

interface Serving {
  readonly proxy: GatewayProxy;
  readonly tls: TlsListener | undefined;
}

async function listen(
  { listen: address, tls: tlsOptions, proxyLimits, log }: GatewayOptions,
  pipeline: Parameters<typeof createPipeline>[0],
): Promise<Serving> {
  const tls =
    tlsOptions === undefined
      ? undefined
      : await listenTls(address, tlsOptions, (error) => {
          if (error === undefined)
            log.info({ event: "gateway.certificates" }, "New certificates are in use.");
          else log.error({ event: "gateway.certificates", err: error }, "The old certificates stay in use.");
        });
  const proxy = await startProxy({
    listen: tls === undefined ? address : { server: tls.server },
    limits: proxyLimits,
    route: createPipeline(pipeline),
    onError: (error) =>
      log.error({ event: "gateway.fault", err: error }, "A request met a fault of the gateway."),
  });
  return { proxy, tls };
}

/** `at`: a whole template, or the host of one. */
function addressesOf(
  { tls }: GatewayOptions,
  { host, port }: Address,
  at: string,
): { readonly url: string; readonly previewUrl: string } {
  const scheme = tls === undefined ? "http" : "https";
  const url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  return { url, previewUrl: at.includes("://") ? at : `${scheme}://${at}:${port}/` };
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
