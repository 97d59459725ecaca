import { randomUUID } from "node:crypto";
import { createManagerClient, type ManagerClient, watchPreviews } from "@clew/control";
import { startProxy, tcpUpstream } from "@clew/proxy";
import type { Logger } from "pino";
import { BelievedKeys } from "./believed-keys.ts";
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
import { createPreviewDirectory, type PreviewDirectory } from "./preview-directory.ts";

export interface Gateway {
  readonly id: string;
  readonly address: Address;
  readonly url: string;
  /** A preview's address, with `{slug}` where its slug goes. */
  readonly previewUrl: string;
  /** Resolves with the first list of previews. Until then nothing from outside is believed. */
  readonly previewsReceived: Promise<void>;
  /** Stops accepting, lets running requests end within `graceMs`, and leaves the manager. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** Rejects with `E_GATEWAY_EXPOSED`, `E_GATEWAY_ACCEPT`, or the proxy's error when the port is taken. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  checkGatewayOptions(options);
  const { ingress, accept, manager, log } = options;
  const id = `gateway-${randomUUID().slice(0, 8)}`;
  const limits: GatewayLimits = { ...defaultGatewayLimits, ...options.limits };
  const previewsDomain = (options.previewsDomain ?? defaultPreviewsDomain).toLowerCase();
  const client = createManagerClient({ url: manager.url, token: manager.token, service: "gateway" });
  const previews = createPreviewDirectory(limits.maxEndedPreviews);
  const keys = new BelievedKeys(options.listen.host);
  const proxy = await startProxy({
    listen: options.listen,
    limits: options.proxyLimits,
    route: createPipeline({
      gateway: id,
      previewsDomain,
      previews,
      accept,
      keys: () => keys.mode,
      ingress: tcpUpstream(ingress.host, ingress.port),
      report: createReportSink(client, limits.maxPendingReports, log),
    }),
    onError: (error) =>
      log.error({ event: "gateway.fault", err: error }, "A request met a fault of the gateway."),
  });

  const { host, port } = proxy.address;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  const previewUrl = `http://{slug}.${previewsDomain}:${port}/`;
  const stop = new AbortController();
  const previewsReceived = watch({
    client,
    gateway: { id, url, previewUrl },
    previews,
    keys,
    log,
    signal: stop.signal,
  });
  log.info({ event: "gateway.started", gateway: id, url, ingress: ingress.service }, "The gateway serves.");
  return {
    id,
    address: proxy.address,
    url,
    previewUrl,
    previewsReceived,
    async close(closeOptions) {
      stop.abort();
      await proxy.close(closeOptions);
      client.close();
      log.info({ event: "gateway.closed", gateway: id }, "The gateway has ended.");
    },
  };
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

/** Watches until `signal` aborts. Resolves with the first list. */
function watch(options: {
  readonly client: ManagerClient;
  readonly gateway: { readonly id: string; readonly url: string; readonly previewUrl: string };
  readonly previews: PreviewDirectory;
  readonly keys: BelievedKeys;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, gateway, previews, keys, log, signal } = options;
  return new Promise((resolve) => {
    watchPreviews({
      client,
      gateway,
      signal,
      onKeys(told) {
        keys.use(told);
        log.info(
          { event: "gateway.keys", mode: told.mode, keyIds: Object.keys(told.publicKeys) },
          "The manager says which routing keys are believed.",
        );
      },
      onChange(list) {
        previews.use(list);
        resolve();
        log.debug({ event: "gateway.previews", previews: list.length }, "A new list of previews is in use.");
      },
      onConnection(isUp, error) {
        if (isUp) log.info({ event: "gateway.manager_connected" }, "The manager is connected.");
        else
          log.warn(
            { event: "gateway.manager_lost", err: error },
            "No manager: the last list of previews stays in use.",
          );
      },
    });
  });
}
