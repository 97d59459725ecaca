import type { LargeIntegers } from "../envelope/large-integers.ts";
import { deadlineUrn } from "../extensions/extension-urn.ts";
import { RpcError } from "../rpc-error.ts";
import { deadlineOf } from "./call-extensions.ts";
import { createDeadline } from "./deadline.ts";
import type { CallAnswer, CallNext, OutgoingCall } from "./outgoing-call.ts";
import type { Preparer } from "./prepare-request.ts";
import { readAnswer } from "./read-answer.ts";
import type { RefusedExtensions } from "./refused-extensions.ts";
import { type RetryOptions, RetryPolicy } from "./retry.ts";
import type { ClientTransport } from "./transport.ts";

export interface UnaryOptions {
  readonly transport: ClientTransport;
  readonly prepare: Preparer;
  /** For messages. */
  readonly url: string;
  readonly maxCalls: number;
  readonly retry: RetryOptions | undefined;
  readonly largeIntegers: LargeIntegers | undefined;
  readonly refused: RefusedExtensions;
}

/** Sends calls that are answered once, each with its deadline, again where that is allowed and helps. */
export function createUnaryCalls(options: UnaryOptions): CallNext {
  const { transport, prepare, url, maxCalls, retry, largeIntegers, refused } = options;
  const policy = new RetryPolicy(retry);
  let calls = 0;

  async function attempt(
    call: OutgoingCall,
    signal: AbortSignal,
    remainingMs: () => number,
  ): Promise<CallAnswer> {
    try {
      return await send(call, signal, remainingMs());
    } catch (error) {
      if (refused.learn(call.function, error)) return await attempt(call, signal, remainingMs);
      throw error;
    }
  }

  async function send(call: OutgoingCall, signal: AbortSignal, remainingMs: number): Promise<CallAnswer> {
    const { function: name, version, arguments: args } = call;
    const omitted = refused.of(name);
    const deadline = omitted.has(deadlineUrn) ? [] : [deadlineOf(remainingMs)];
    const request = prepare({ name, version }, args, [...call.extensions, ...deadline], omitted);
    const answer = await transport.send(request, {
      signal,
      isRepeatable: call.isRepeatable,
      isStream: false,
    });
    if (answer.kind === "events") throw new RpcError("E_RPC_NOT_FORRST", `${url} began a stream`);
    return await readAnswer(answer, request.id, url, largeIntegers);
  }

  return async (call) => {
    if (calls >= maxCalls) {
      throw new RpcError("UNAVAILABLE", `${maxCalls} calls to ${url} are under way already`);
    }
    calls++;
    const { signal, remainingMs, clear } = createDeadline(
      call.timeoutMs,
      call.signal,
      `${call.function} at ${url}`,
    );
    try {
      return await policy.run(call.isRepeatable, signal, remainingMs, () =>
        attempt(call, signal, remainingMs),
      );
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clear();
      calls--;
    }
  };
}
