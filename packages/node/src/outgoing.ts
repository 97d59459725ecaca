import { channel } from "node:diagnostics_channel";
import {
  ambientStorage,
  type Context,
  type DestinationPolicy,
  emptyContext,
  injectContext,
  isInternalDestination,
  outgoingBaggage,
  type ScopeEntry,
} from "./context.ts";
import {
  type ContextHeaders,
  type HeaderField,
  type OutgoingHeaders,
  outgoingFields,
} from "./header-list.ts";
import type { LostContexts } from "./lost-context.ts";
import type { OpenTelemetryWatch } from "./opentelemetry.ts";
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
  /** The scope of now, where it is shared with OpenTelemetry: for what injects later, from another. */
  sharedScope(): ScopeEntry | undefined;
  /** Whether the host that a request is sent to is internal, and the one behind it, if it is a proxy (I5). */
  mayGoTo(host: string, behind?: string): boolean;
  /**
   * The headers to set for a context, given those that the application has set itself, which win: its `baggage` stays,
   * and with its `traceparent` or `tracestate` neither is added, as the two belong together. Only an `x-forrst-caller`
   * that was copied from the request being served is replaced, since it is never forwarded (I4).
   */
  headersFor(context: Context, existing: ContextHeaders): OutgoingHeaders;
  /** The same as a list. */
  fieldsFor(context: Context, existing: ContextHeaders): HeaderField[];
  /**
   * The names of the headers to take out of a request to where no context may go: those that OpenTelemetry, whose
   * propagators are not told where a request goes, has made of the context. What the application has set stays.
   */
  leakedHeaders(context: Context, existing: ContextHeaders): string[];
}

export interface OutgoingOptions {
  readonly service: string;
  readonly destinations: DestinationPolicy;
  /** Whether each request gets a parent-id of its own, and one outside of any trace begins one. */
  readonly participate: boolean;
  readonly lost: LostContexts;
  readonly openTelemetry: OpenTelemetryWatch;
}

/** Every limit is the default one. */
const noOptions = {};

export function createOutgoing(options: OutgoingOptions): Outgoing {
  const { service, destinations, participate, lost, openTelemetry } = options;
  const storage = ambientStorage();
  const caller = callerName(service);

  const headersFor = (context: Context, existing: ContextHeaders): OutgoingHeaders => {
    const baggage = existing.baggage === undefined ? outgoingBaggage(context, noOptions) : "";
    const own = existing["x-forrst-caller"];
    const hasTrace = existing.traceparent !== undefined || existing.tracestate !== undefined;
    let traceparent = hasTrace ? undefined : context.traceparent;
    const tracestate = traceparent === undefined ? undefined : context.tracestate;
    // Where OpenTelemetry makes spans, its ids are those that somebody records.
    if (participate && !hasTrace && !openTelemetry.isTracing) {
      traceparent = traceparent === undefined ? newTraceparent() : childTraceparent(traceparent);
    }
    return {
      baggage: baggage === "" ? undefined : baggage,
      traceparent,
      tracestate,
      "x-forrst-caller": own === undefined || own === context.caller ? caller : undefined,
    };
  };

  return {
    ambientFor(host) {
      openTelemetry.look();
      const context = storage.getStore();
      if (context !== undefined) return context;
      if (lost.isWatching && isInternalDestination(host, destinations)) lost.report(host);
      return emptyContext;
    },
    sharedScope() {
      return openTelemetry.isPropagating ? storage.capture() : undefined;
    },
    mayGoTo(host, behind = host) {
      const isHostInternal = isInternalDestination(host, destinations);
      if (isHostInternal && (behind === host || isInternalDestination(behind, destinations))) return true;
      if (withheld.hasSubscribers) {
        withheld.publish({ host: isHostInternal ? behind : host } satisfies WithheldContext);
      }
      return false;
    },
    headersFor,
    fieldsFor: (context, existing) => outgoingFields(headersFor(context, existing)),
    leakedHeaders(context, existing) {
      const names: string[] = [];
      if (!openTelemetry.isPropagating) return names;
      const compare = (name: string, value: string): void => {
        const isTrace = name === "traceparent" || name === "tracestate";
        if (!isTrace && existing[name as keyof ContextHeaders] === value) names.push(name);
      };
      injectContext(context, compare, { service });
      return names;
    },
  };
}

/** A service's own name as it is sent; undefined where it has none. */
function callerName(service: string): string | undefined {
  let caller: string | undefined;
  const set = (_name: string, value: string): void => {
    caller = value;
  };
  injectContext(emptyContext, set, { service });
  return caller;
}
