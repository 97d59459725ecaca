import { type ChunkFault, describeFault, type HeadFault } from "@clew/wire";
import { errorAnswer } from "./proxy-error.ts";
import type { LocalAnswer } from "./types.ts";

// Answers to requests that are not forwarded.

/** `reason`: what makes it one that others might understand differently. */
export function malformedRequest(reason: string): LocalAnswer {
  return errorAnswer(400, "E_REQUEST_MALFORMED", `the request is not valid HTTP/1.1: ${reason}`);
}

export function faultyRequest(fault: HeadFault | ChunkFault): LocalAnswer {
  const words = describeFault(fault);
  return fault === "head-too-large" || fault === "line-too-long"
    ? errorAnswer(431, "E_HEAD_TOO_LARGE", `the request has ${words}`)
    : malformedRequest(`it has ${words}`);
}

export const lateRequest: LocalAnswer = errorAnswer(
  408,
  "E_REQUEST_TIMEOUT",
  "the request did not come in time",
);

export const connectRequest: LocalAnswer = errorAnswer(
  405,
  "E_CONNECT_REFUSED",
  "this is not a forward proxy",
  ["allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"],
);

export const oneTooMany: LocalAnswer = errorAnswer(
  503,
  "E_OVERLOADED",
  "too many requests are running here",
  ["retry-after", "1"],
);
