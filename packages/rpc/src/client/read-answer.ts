import type { JsonValue } from "@clew/context";
import { isJsonObject, type JsonObject, type ResponseExtension } from "../envelope/document.ts";
import { type LargeIntegers, resolveMarked } from "../envelope/large-integers.ts";
import { defaultEnvelopeLimits, maxResponseBytes } from "../envelope/limits.ts";
import { parseJson } from "../envelope/parse-json.ts";
import { readResponse } from "../envelope/parse-response.ts";
import { readDuration } from "../extensions/durations.ts";
import { canonicalUrn, retryUrn } from "../extensions/extension-urn.ts";
import { fromForrstErrors, RpcError } from "../rpc-error.ts";
import type { CallAnswer } from "./outgoing-call.ts";
import type { TransportAnswer } from "./transport.ts";

export type DocumentAnswer = TransportAnswer & { readonly kind: "document" };

/** The result, or a rejection with the `RpcError` that the answer is. `url` is for its message. */
export async function readAnswer(
  response: DocumentAnswer,
  id: string,
  url: string,
  largeIntegers: LargeIntegers = "refuse",
): Promise<CallAnswer> {
  const bytes = await readWhole(response.chunks, url);
  const json = parseJson(bytes, defaultEnvelopeLimits.maxDepth);
  const answer = json.ok ? readResponse(json.value) : undefined;
  if (answer === undefined) throw notForrst(url, response);
  // An error may have no id, when the server could not read the request's.
  if (answer.id !== id && (answer.id !== null || answer.outcome.ok)) {
    throw new RpcError("E_RPC_NOT_FORRST", `${url} answered another request than the one it was sent`);
  }
  if (!answer.outcome.ok) {
    throw withGuidance(fromForrstErrors(answer.outcome.errors, response.status), answer.extensions);
  }
  const { result } = answer.outcome;
  const isExact = !json.ok || !isJsonObject(json.marked);
  return {
    result: isExact
      ? result
      : resolveExact((json.marked as JsonObject)["result"] ?? null, largeIntegers, url),
    extensions: answer.extensions,
  };
}

/**
 * What the server's retry extension says goes before the table of codes; `after` is heeded where the error itself says
 * nothing of it. Source: Forrst specification, extensions/retry "Client Implementation".
 */
function withGuidance(error: RpcError, extensions: readonly ResponseExtension[]): RpcError {
  const data = extensions.find(({ urn }) => canonicalUrn(urn) === retryUrn)?.data;
  if (typeof data?.["allowed"] !== "boolean") return error;
  const { after } = data;
  const afterMs = isJsonObject(after) ? readDuration(after["value"], after["unit"]) : undefined;
  const { code, message, details, source, hint, status, errors } = error;
  return new RpcError(code, message, {
    details,
    source,
    hint,
    status,
    errors,
    retryable: data["allowed"],
    retryAfterMs: error.retryAfterMs ?? afterMs,
  });
}

/** What the client was told to make of marked integers. Throws E_RPC_RESULT where it was told nothing. */
export function resolveExact(marked: JsonValue, mode: LargeIntegers, url: string): JsonValue {
  return resolveMarked(marked, mode, (pointer) => {
    const message = `${url} answered an integer larger than numbers can hold exactly, at "${pointer}"`;
    const hint = 'Create the client with largeIntegers: "text" or "bigint".';
    throw new RpcError("E_RPC_RESULT", message, { hint, retryable: false });
  });
}

async function readWhole(response: AsyncIterable<Buffer>, url: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > maxResponseBytes) {
        throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", `${url} answered more than ${maxResponseBytes} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof RpcError) throw cause;
    throw new RpcError("UNAVAILABLE", `the connection to ${url} broke in the middle of an answer`, { cause });
  }
  return Buffer.concat(chunks, size);
}

/** Authentication may be refused before Forrst. Source: Forrst specification, transport "HTTP Authentication". */
function notForrst(url: string, { status, contentType }: DocumentAnswer): RpcError {
  if (status === undefined) return new RpcError("E_RPC_NOT_FORRST", `${url} answered what is not Forrst`);
  const what = `${url} answered ${status} (${contentType ?? "no content type"}), which is not Forrst`;
  if (status === 401 || status === 403) {
    return new RpcError(status === 401 ? "UNAUTHORIZED" : "FORBIDDEN", what);
  }
  return new RpcError("E_RPC_NOT_FORRST", what, {
    details: { status },
    retryable: status >= 500,
    hint: status >= 500 ? "A proxy in between may not reach the service." : "Check the URL, its path too.",
  });
}
