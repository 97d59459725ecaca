import { channel } from "node:diagnostics_channel";
import type { Outcome, RequestHead } from "./types.ts";

/** What `clew.proxy.request` publishes when an exchange is over. */
export interface RequestReport {
  readonly head: RequestHead;
  /** Key of the upstream that was tried last; undefined when none was. */
  readonly upstream: string | undefined;
  readonly outcome: Outcome;
}

const requests = channel("clew.proxy.request");

/** Nothing is measured or made while nobody listens. */
export function wantsRequestReports(): boolean {
  return requests.hasSubscribers;
}

export function reportRequest(head: RequestHead, upstream: string | undefined, outcome: Outcome): void {
  if (!requests.hasSubscribers) return;
  const report: RequestReport = { head, upstream, outcome };
  requests.publish(report);
}
