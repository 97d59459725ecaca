export { GatewayError } from "./gateway-error.ts";
export {
  type Address,
  defaultGatewayLimits,
  defaultPreviewsDomain,
  type GatewayLimits,
  type GatewayOptions,
} from "./gateway-options.ts";
export { type Gateway, startGateway } from "./start-gateway.ts";
