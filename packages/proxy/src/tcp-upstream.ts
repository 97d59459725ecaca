import type { AnswerLimits, Upstream } from "./types.ts";
import { connectTcp, tcpKey } from "./upstream-socket.ts";

/** An upstream at an address. Names are resolved at each new connection. */
export function tcpUpstream(
  host: string,
  port: number,
  { answerTimeoutMs, answerIdleTimeoutMs }: AnswerLimits = {},
): Upstream {
  return {
    answerTimeoutMs,
    answerIdleTimeoutMs,
    key: tcpKey(host, port),
    connect: (signal) => connectTcp(host, port, signal),
  };
}
