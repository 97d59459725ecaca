export type { Ingress } from "./edge/ingress.ts";
export type { Partner } from "./edge/partners.ts";
export type { Rate } from "./edge/rate-limit.ts";
export type { CertificateFiles, TlsOptions } from "./edge/tls-listener.ts";
export { GatewayError } from "./gateway-error.ts";
export {
  type Address,
  defaultGatewayLimits,
  defaultPreviewsDomain,
  type GatewayLimits,
  type GatewayOptions,
} from "./gateway-options.ts";
export { type Gateway, startGateway } from "./start-gateway.ts";
