import { isClewError } from "@clew/errors";
import { RpcError } from "@clew/rpc";
import { ManagerError } from "./manager-error.ts";

/** HTTP status of our codes where it is not 400 (or 503 for what may be tried again). */
const statusOf: Readonly<Record<string, number>> = {
  E_UNAUTHENTICATED: 401,
  E_SESSION_TOKEN: 403,
  E_HOST_REFUSED: 403,
  E_SERVICE_UNKNOWN: 404,
  E_PORT_UNKNOWN: 404,
  E_SESSION_UNKNOWN: 404,
  E_OVERRIDE_UNKNOWN: 404,
  E_PREVIEW_UNKNOWN: 404,
  E_VISITOR_UNKNOWN: 404,
  E_INGRESS_UNKNOWN: 404,
  E_ROUTE_TAKEN: 409,
  E_RULE_CONFLICT: 409,
  E_PREVIEW_TAKEN: 409,
  E_LIMIT: 429,
};

export function httpStatus(error: ManagerError): number {
  return statusOf[error.code] ?? (error.retryable ? 503 : 400);
}

/** Our errors as answers. Undefined for what nobody foresaw: its text stays inside, and the log says it. */
export function toRpcError(error: unknown): RpcError | undefined {
  if (!isClewError(error)) return undefined;
  const { code, message, hint, retryable } = error;
  const details = error instanceof ManagerError ? error.details : undefined;
  return new RpcError(code, message, { hint, retryable, details, status: statusOf[code], cause: error });
}
