import { channel } from "node:diagnostics_channel";
import {
  ambientStorage,
  type Context,
  type DestinationPolicy,
  emptyContext,
  injectContext,
  isInternalDestination,
} from "@clew/context";
import type { HeaderField } from "./header-list.ts";
import type { LostContexts } from "./lost-context.ts";
import { childTraceparent, newTraceparent } from "./traceparent.ts";

/** Published for each request whose context policy kept back, as {@link WithheldContext}. */
const withheld = channel("clew.context.withheld");

export interface WithheldContext {
  readonly host: string;
}

/** What all outgoing requests of a process have in common: its name, and where its contexts may go. */
export interface Outgoing {
  /**
   * The context that is ambient for a request to a host, an empty one outside of any scope, which is reported where
   * it may be a loss. To be called in the stack of whoever makes the request.
   */
  ambientFor(host: string): Context;
  /** Whether all hosts that a request passes are internal (I5). */
  mayGoTo(...hosts: readonly string[]): boolean;
  /**
   * The headers to set for a context, given those that the application has set itself, which win: its `baggage` stays,
   * and with its `traceparent` or `tracestate` neither is added, as the two belong together. Only an `x-forrst-caller`
   * that was copied from the request being served is replaced, since it is never forwarded (I4).
   */
  fieldsFor(context: Context, valueSet: (lowerCaseName: string) => unknown): HeaderField[];
}

export interface OutgoingOptions {
  readonly service: string;
  readonly destinations: DestinationPolicy;
  /** Whether each request gets a parent-id of its own, and one outside of any trace begins one. */
  readonly participate: boolean;
  readonly lost: LostContexts;
}

export function createOutgoing({ service, destinations, participate, lost }: OutgoingOptions): Outgoing {
  const storage = ambientStorage();
  return {
    ambientFor(host) {
      const context = storage.getStore();
      if (context !== undefined) return context;
      if (lost.isWatching && isInternalDestination(host, destinations)) lost.report(host);
      return emptyContext;
    },
    mayGoTo(...hosts) {
      const external = hosts.find((host) => !isInternalDestination(host, destinations));
      if (external !== undefined && withheld.hasSubscribers) {
        withheld.publish({ host: external } satisfies WithheldContext);
      }
      return external === undefined;
    },
    fieldsFor(context, valueSet) {
      const fields: HeaderField[] = [];
      const hasTrace = valueSet("traceparent") !== undefined || valueSet("tracestate") !== undefined;
      const add = (name: string, value: string): void => {
        if (name === "traceparent" || name === "tracestate") {
          if (hasTrace) return;
          fields.push([name, participate && name === "traceparent" ? childTraceparent(value) : value]);
          return;
        }
        const existing = valueSet(name);
        const isForwarded = name === "x-forrst-caller" && existing === context.caller;
        if (existing === undefined || isForwarded) fields.push([name, value]);
      };
      injectContext(context, add, { service });
      if (participate && !hasTrace && context.traceparent === undefined) {
        fields.push(["traceparent", newTraceparent()]);
      }
      return fields;
    },
  };
}
