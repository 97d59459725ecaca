import { tcpUpstream, type Upstream } from "@clew/proxy";
import type { Override, Target } from "@clew/routing";
import type { SessionDialer } from "@clew/tunnel";
import { AgentError } from "./agent-error.ts";

/** The upstreams of one port's overrides: one per destination, made when first needed. */
export interface OverrideUpstreams {
  of(override: Override): Upstream;
  /** Forgets all but these overrides' destinations, and returns the keys of those that were in use and are gone. */
  keepOnly(overrides: readonly Override[]): string[];
}

export function createOverrideUpstreams(dialer: SessionDialer): OverrideUpstreams {
  const used = new Map<string, Upstream>();
  return {
    of(override) {
      const key = targetKey(override.target);
      let upstream = used.get(key);
      if (upstream === undefined) {
        upstream = createUpstream(key, override.target, dialer);
        used.set(key, upstream);
      }
      return upstream;
    },
    keepOnly(overrides) {
      if (used.size === 0) return [];
      const wanted = new Set(overrides.map((override) => targetKey(override.target)));
      const gone = [...used.values()].filter((upstream) => !wanted.has(upstream.key));
      for (const upstream of gone) used.delete(upstream.key);
      return gone.map((upstream) => upstream.key);
    },
  };
}

// Not the key of the same address as a live service: retiring an override must not touch the live service's connections.
export function targetKey(target: Target): string {
  return target.kind === "tunnel"
    ? `override:${target.session}:${target.port}@${target.relay}`
    : `override:${target.url}`;
}

function createUpstream(key: string, target: Target, dialer: SessionDialer): Upstream {
  if (target.kind === "tunnel") return { key, connect: (signal) => dialer.connect(target, signal) };
  const url = URL.canParse(target.url) ? new URL(target.url) : undefined;
  if (url?.protocol !== "http:") {
    const error = new AgentError(
      "E_OVERRIDE_ADDRESS",
      `${target.url} is not an address that an agent can dial`,
      {
        hint: "Use http://host:port.",
      },
    );
    return { key, connect: () => Promise.reject(error) };
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const { connect } = tcpUpstream(host, url.port === "" ? 80 : Number(url.port));
  return { key, connect };
}
