import type { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Proxy as GatewayProxy, type ProxyStats, startProxy } from "@clew/proxy";
import { listenTls, type TlsListener } from "./edge/tls-listener.ts";
import type { Address, GatewayOptions } from "./gateway-options.ts";
import { createParts, type GatewayParts } from "./gateway-parts.ts";

export interface Gateway {
  readonly id: string;
  readonly address: Address;
  readonly url: string;
  /** A preview's address, with `{slug}` where its slug goes. */
  readonly previewUrl: string;
  /** What its proxy has counted. */
  readonly stats: Readonly<ProxyStats>;
  /** What listens, so that it can be handed to another process. */
  readonly server: Server;
  /** Resolves with the first list of previews. Until then nothing from outside is believed. */
  readonly previewsReceived: Promise<void>;
  /** Reads certificates anew and opens the access log anew, as on SIGHUP. With a fault in a certificate the old ones stay. */
  reload(): void;
  /**
   * Stops accepting, lets running requests end within `graceMs` and idle connections stay for `idleGraceMs`, and leaves the
   * manager.
   */
  close(options?: { readonly graceMs?: number; readonly idleGraceMs?: number }): Promise<void>;
}

/**
 * Rejects with `E_GATEWAY_EXPOSED`, `E_GATEWAY_ACCEPT`, `E_GATEWAY_PARTNER`, `E_GATEWAY_PREVIEW_URL`, `E_GATEWAY_TLS`, or
 * the proxy's error when the port is taken.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { ingress, log, listWaitMs = 0 } = options;
  const parts = createParts(options);
  const early = listWaitMs > 0 ? parts.watch(addressesOf(options, options.listen, parts)) : undefined;
  // A manager that does not answer keeps nobody from serving: the old list is lost with the old process.
  if (early !== undefined) await Promise.race([early, delay(listWaitMs, undefined, { ref: false })]);
  const { proxy, tls } = await listen(options, parts).catch(async (error: unknown) => {
    await parts.close();
    throw error;
  });
  const { id, accessLog } = parts;
  const addresses = addressesOf(options, proxy.address, parts);
  const previewsReceived = early ?? parts.watch(addresses);
  const { url } = addresses;
  log.info({ event: "gateway.started", gateway: id, url, ingress: ingress.service }, "The gateway serves.");
  return {
    id,
    address: proxy.address,
    ...addresses,
    stats: proxy.stats,
    server: proxy.server,
    previewsReceived,
    reload() {
      accessLog?.reopen();
      tls?.reload();
      log.info({ event: "gateway.reloaded" }, "Certificates and access log were opened anew.");
    },
    async close(closeOptions) {
      parts.unwatch();
      tls?.stop(closeOptions?.idleGraceMs ?? 0);
      await proxy.close(closeOptions);
      await parts.close();
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
  { route }: GatewayParts,
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
    route,
    onError: (error) =>
      log.error({ event: "gateway.fault", err: error }, "A request met a fault of the gateway."),
  });
  return { proxy, tls };
}

function addressesOf(
  { tls }: GatewayOptions,
  { host, port }: Address,
  { previewsAt }: GatewayParts,
): { readonly url: string; readonly previewUrl: string } {
  const scheme = tls === undefined ? "http" : "https";
  const url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  return { url, previewUrl: previewsAt.includes("://") ? previewsAt : `${scheme}://${previewsAt}:${port}/` };
}
