/** What the specification fixes about an error code. */
export interface ErrorCodeFacts {
  readonly status: number;
  readonly retryable: boolean;
}

/**
 * The specification's error codes. `DEADLINE_EXCEEDED` is 408 here and 504 on the deadline extension's page;
 * the table wins. The cancellation extension's page gives its codes no status: they conflict with the call's state, or
 * name what is not there. Source: Forrst specification, errors, "Standard Error Codes"; extensions/cancellation, "Error Codes".
 */
const standardCodes: Readonly<Record<string, ErrorCodeFacts>> = {
  __proto__: null as never,
  PARSE_ERROR: { status: 400, retryable: false },
  INVALID_REQUEST: { status: 400, retryable: false },
  INVALID_PROTOCOL_VERSION: { status: 400, retryable: false },
  FUNCTION_NOT_FOUND: { status: 404, retryable: false },
  VERSION_NOT_FOUND: { status: 404, retryable: false },
  FUNCTION_DISABLED: { status: 503, retryable: true },
  INVALID_ARGUMENTS: { status: 400, retryable: false },
  SCHEMA_VALIDATION_FAILED: { status: 422, retryable: false },
  EXTENSION_NOT_SUPPORTED: { status: 400, retryable: false },
  EXTENSION_NOT_APPLICABLE: { status: 400, retryable: false },
  UNAUTHORIZED: { status: 401, retryable: false },
  FORBIDDEN: { status: 403, retryable: false },
  NOT_FOUND: { status: 404, retryable: false },
  CONFLICT: { status: 409, retryable: false },
  GONE: { status: 410, retryable: false },
  DEADLINE_EXCEEDED: { status: 408, retryable: true },
  RATE_LIMITED: { status: 429, retryable: true },
  INTERNAL_ERROR: { status: 500, retryable: true },
  UNAVAILABLE: { status: 503, retryable: true },
  DEPENDENCY_ERROR: { status: 502, retryable: true },
  IDEMPOTENCY_CONFLICT: { status: 409, retryable: false },
  IDEMPOTENCY_PROCESSING: { status: 409, retryable: true },
  CANCELLED: { status: 409, retryable: false },
  CANCELLATION_TOKEN_UNKNOWN: { status: 404, retryable: false },
  CANCELLATION_TOO_LATE: { status: 409, retryable: false },
  ASYNC_OPERATION_NOT_FOUND: { status: 404, retryable: false },
  ASYNC_OPERATION_FAILED: { status: 500, retryable: false },
  ASYNC_CANNOT_CANCEL: { status: 400, retryable: false },
  BATCH_FAILED: { status: 400, retryable: false },
  BATCH_TOO_LARGE: { status: 400, retryable: false },
  BATCH_TIMEOUT: { status: 504, retryable: true },
  SERVER_MAINTENANCE: { status: 503, retryable: true },
  FUNCTION_MAINTENANCE: { status: 503, retryable: true },
  REPLAY_NOT_FOUND: { status: 404, retryable: false },
  REPLAY_EXPIRED: { status: 410, retryable: false },
  REPLAY_ALREADY_COMPLETE: { status: 409, retryable: false },
  REPLAY_CANCELLED: { status: 410, retryable: false },
};

/** An application's own code says nothing about itself: the request was at fault and stays so. */
const customCode: ErrorCodeFacts = { status: 400, retryable: false };

export function errorCodeFacts(code: string): ErrorCodeFacts {
  return standardCodes[code] ?? customCode;
}
