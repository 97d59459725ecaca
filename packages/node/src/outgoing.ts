import { channel } from "node:diagnostics_channel";
import { type Context, type DestinationPolicy, injectContext, isInternalDestination } from "@clew/context";
import type { HeaderField } from "./header-list.ts";

/** Published for each request whose context policy kept back, as {@link WithheldContext}. */
const withheld = channel("clew.context.withheld");

export interface WithheldContext {
  readonly host: string;
}

/** What all outgoing requests of a process have in common: its name, and where its contexts may go. */
export interface Outgoing {
  /** Whether all hosts that a request passes are internal (I5). */
  mayGoTo(...hosts: readonly string[]): boolean;
  /**
   * The headers to set for a context, given those that the application has set itself, which win: its `baggage` stays,
   * and with its `traceparent` or `tracestate` neither is added, as the two belong together. Only an `x-forrst-caller`
   * that was copied from the request being served is replaced, since it is never forwarded (I4).
   */
  fieldsFor(context: Context, valueSet: (lowerCaseName: string) => unknown): HeaderField[];
}

export function createOutgoing(service: string, destinations: DestinationPolicy): Outgoing {
  return {
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
          if (!hasTrace) fields.push([name, value]);
          return;
        }
        const existing = valueSet(name);
        const isForwarded = name === "x-forrst-caller" && existing === context.caller;
        if (existing === undefined || isForwarded) fields.push([name, value]);
      };
      injectContext(context, add, { service });
      return fields;
    },
  };
}
