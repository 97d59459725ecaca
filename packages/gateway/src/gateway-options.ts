import { emptyContext, isLoopbackHost } from "@clew/context";
import type { ListenAddress, ProxyLimits } from "@clew/proxy";
import type { Logger } from "pino";
import type { Ingress } from "./edge/ingress.ts";
import type { Partner } from "./edge/partners.ts";
import type { Rate } from "./edge/rate-limit.ts";
import type { TlsOptions } from "./edge/tls-listener.ts";
import { GatewayError } from "./gateway-error.ts";

export interface Address {
  readonly host: string;
  /** When listening, 0 takes a free one. */
  readonly port: number;
}

export interface GatewayOptions {
  readonly listen: ListenAddress;
  /**
   * How long to wait for the first list of previews before listening, in ms: for a process that takes over from one that serves
   * until then. Default 0. It needs a port that is known.
   */
  readonly listWaitMs?: number | undefined;
  /** With it only TLS is spoken where the gateway listens. */
  readonly tls?: TlsOptions | undefined;
  /** The agent of the service that answers what comes from outside; `requestHost` is what it is asked for by previews. */
  readonly ingress: Address & { readonly service: string; readonly requestHost?: string | undefined };
  /** Other ways into the system, which previews may ask for by name. */
  readonly ingresses?: Readonly<Record<string, Ingress>> | undefined;
  /** Previews are served at `<slug>.<this>`. Default `preview.localhost`, which browsers resolve to loopback by themselves. */
  readonly previewsDomain?: string | undefined;
  /**
   * What is told of previews' addresses, with `{slug}` where the slug goes: for a gateway behind another one
   * (`https://{slug}.preview.example/`), or where no names can be had for previews (`https://shop.example/_preview/{slug}`).
   * Default: by `previewsDomain` and where it listens.
   */
  readonly previewUrl?: string | undefined;
  /** Custom fields that are kept from outside. Clew's own (`clew-…`) cannot be listed: they are kept where they are proven. */
  readonly accept: readonly string[];
  /** Who is believed more than others. */
  readonly partners?: readonly Partner[] | undefined;
  readonly manager: { readonly url: string; readonly token?: string | undefined };
  /** `stdout` or a file: one JSON object a line for each request. Default: none. */
  readonly accessLog?: string | undefined;
  readonly log: Logger;
  readonly limits?: Partial<GatewayLimits> | undefined;
  readonly proxyLimits?: Partial<ProxyLimits> | undefined;
}

export interface GatewayLimits {
  /** Previews that ended and are remembered, so that their visitors are told so. The oldest is forgotten. Default 1,000. */
  readonly maxEndedPreviews: number;
  /** Reports of explained requests on their way. At the limit new ones are dropped. Default 100. */
  readonly maxPendingReports: number;
  /** Visits that the manager has not yet been told of. At the limit new ones are dropped. Default 1,000. */
  readonly maxPendingVisits: number;
  /**
   * Requests of one preview. Beyond it they are answered with 429. Default 200 a second, 1,000 at once: dozens of visitors
   * who load large pages, and no load test by accident.
   */
  readonly previewRequests: Rate;
  /**
   * Wrong passwords of one client (an address, or an IPv6 network of 64 bits) for one preview. Beyond it 429. Default 5 at
   * once and one more every 12 s: nobody mistypes faster.
   */
  readonly passwordTriesPerClient: Rate;
  /**
   * Wrong passwords for one preview, whoever sent them. Default 100 at once and one more every 6 s: 14,400 a day, of which
   * a password of eight letters has a hundred million times as many.
   */
  readonly passwordTriesPerPreview: Rate;
  /** Clients and previews whose tries and requests are counted. The one seen longest ago is forgotten. Default 10,000. */
  readonly maxCountedClients: number;
  /** Passwords looked at at once, each with 16 MiB and a thread. Beyond it 429. Default 2: half of Node's threads. */
  readonly maxPasswordChecks: number;
}

export const defaultGatewayLimits: GatewayLimits = {
  maxEndedPreviews: 1_000,
  maxPendingReports: 100,
  maxPendingVisits: 1_000,
  previewRequests: { perSecond: 200, burst: 1_000 },
  passwordTriesPerClient: { perSecond: 1 / 12, burst: 5 },
  passwordTriesPerPreview: { perSecond: 1 / 6, burst: 100 },
  maxCountedClients: 10_000,
  maxPasswordChecks: 2,
};

export const defaultPreviewsDomain = "preview.localhost";

/** Throws `E_GATEWAY_EXPOSED`, `E_GATEWAY_ACCEPT` or `E_GATEWAY_PREVIEW_URL`. */
export function checkGatewayOptions({ accept, partners = [], listen, manager }: GatewayOptions): void {
  for (const name of [...accept, ...partners.flatMap((partner) => partner.accept)]) checkAccepted(name);
  if (manager.token !== undefined || isLoopbackHost(listen.host)) return;
  throw new GatewayError(
    "E_GATEWAY_EXPOSED",
    `the gateway would listen on ${listen.host}, which others can reach, but no manager token is set: ` +
      "anybody who reaches an open manager could make previews and send requests to a machine of theirs",
    { hint: "Set the manager's token, or listen on 127.0.0.1." },
  );
}

function checkAccepted(name: string): void {
  if (name.startsWith("clew-")) {
    throw new GatewayError("E_GATEWAY_ACCEPT", `accept lists ${name}, a field of Clew's own`, {
      hint: "Leave it out: signed routing keys are accepted by themselves, plain ones in open mode on loopback.",
    });
  }
  try {
    emptyContext.with({ [name]: "" });
  } catch (cause) {
    throw new GatewayError(
      "E_GATEWAY_ACCEPT",
      `accept lists ${JSON.stringify(name)}, which no custom field can be named`,
      {
        hint: "Name custom fields, such as tenant_id.",
        cause,
      },
    );
  }
}
