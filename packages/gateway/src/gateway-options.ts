import { emptyContext, isLoopbackHost } from "@clew/context";
import type { ProxyLimits } from "@clew/proxy";
import type { Logger } from "pino";
import { GatewayError } from "./gateway-error.ts";

export interface Address {
  readonly host: string;
  /** When listening, 0 takes a free one. */
  readonly port: number;
}

export interface GatewayOptions {
  readonly listen: Address;
  /** The agent of the service that answers what comes from outside. */
  readonly ingress: Address & { readonly service: string };
  /** Previews are served at `<slug>.<this>`. Default `preview.localhost`, which browsers resolve to loopback by themselves. */
  readonly previewsDomain?: string | undefined;
  /** Custom fields that are kept from outside. Clew's own (`clew-…`) cannot be listed: they are kept where they are proven. */
  readonly accept: readonly string[];
  readonly manager: { readonly url: string; readonly token?: string | undefined };
  readonly log: Logger;
  readonly limits?: Partial<GatewayLimits> | undefined;
  readonly proxyLimits?: Partial<ProxyLimits> | undefined;
}

export interface GatewayLimits {
  /** Previews that ended and are remembered, so that their visitors are told so. The oldest is forgotten. Default 1,000. */
  readonly maxEndedPreviews: number;
  /** Reports of explained requests on their way. At the limit new ones are dropped. Default 100. */
  readonly maxPendingReports: number;
}

export const defaultGatewayLimits: GatewayLimits = { maxEndedPreviews: 1_000, maxPendingReports: 100 };

export const defaultPreviewsDomain = "preview.localhost";

/** Throws `E_GATEWAY_EXPOSED` or `E_GATEWAY_ACCEPT`. */
export function checkGatewayOptions({ accept, listen, manager }: GatewayOptions): void {
  for (const name of accept) checkAccepted(name);
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
