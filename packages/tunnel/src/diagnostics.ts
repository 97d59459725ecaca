import { channel } from "node:diagnostics_channel";
import type { TunnelError } from "./tunnel-error.ts";

/** Published on `clew:tunnel:refused`: someone asked for a tunnel or a stream and did not get it. */
export interface TunnelRefusedEvent {
  /** The session, or `agent` and its name; undefined when the asker did not say. */
  readonly who: string | undefined;
  readonly target: string | undefined;
  readonly error: TunnelError;
}

/** Published on `clew:tunnel:lost`: a connection ended other than by a farewell. */
export interface TunnelLostEvent {
  readonly peer: string;
  /** Streams that were cut with it. */
  readonly streams: number;
  readonly reason: string;
}

const refused = channel("clew:tunnel:refused");
const lost = channel("clew:tunnel:lost");

export function publishRefused(event: TunnelRefusedEvent): void {
  if (refused.hasSubscribers) refused.publish(event);
}

export function publishLost(event: TunnelLostEvent): void {
  if (lost.hasSubscribers) lost.publish(event);
}
