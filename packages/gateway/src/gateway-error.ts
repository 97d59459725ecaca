import { ClewError } from "@clew/errors";

/** Codes: `E_GATEWAY_EXPOSED`, `E_GATEWAY_ACCEPT`. */
export class GatewayError extends ClewError {}
