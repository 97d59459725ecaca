export { defaultLimits, type ProxyLimits } from "./limits.ts";
export { type ProxyOptions, startProxy } from "./proxy.ts";
export { ProxyError } from "./proxy-error.ts";
export { tcpUpstream } from "./tcp-upstream.ts";
export type {
  AnswerHead,
  Failure,
  HeaderEdits,
  LocalAnswer,
  Outcome,
  Plan,
  Proxy,
  RequestHead,
  Route,
  Upstream,
} from "./types.ts";
