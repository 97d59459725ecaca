import type { Condition, OnFailure, Override, Reason, Rule, Table } from "@clew/routing";

export interface SessionInfo {
  readonly id: string;
  readonly owner: string;
  /** Name of the developer's machine, for people. */
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  readonly state: "connected" | "away";
  readonly leaseRemainingMs: number;
}

export interface SessionGrant {
  readonly session: string;
  /** Secret of this session; needed to resume, to close and to write its overrides. */
  readonly token: string;
  readonly epoch: number;
  readonly leaseMs: number;
}

export interface PortInfo {
  /** `host:port` at which the service's agent listens. */
  readonly address: string;
  /** What is spoken there. On `tcp` whole connections are routed, by the client's address: no routing key travels on them. */
  readonly protocol: "auto" | "http1" | "tcp";
}

export interface ServiceInfo {
  readonly name: string;
  readonly ports: Readonly<Record<string, PortInfo>>;
  /** The service's own environment, with `{service.port}` where an address belongs. */
  readonly env: Readonly<Record<string, string>>;
  /** Number of agents that watch this service's table now. */
  readonly agents: number;
  readonly overrides: number;
}

/** What an override's author says; the manager adds id, owner and time. */
export interface OverrideRequest {
  readonly route: string;
  readonly service: string;
  /** Default: the service's only port. Required when it has several. */
  readonly port?: string | undefined;
  readonly target:
    | { readonly kind: "tunnel"; readonly port: number }
    | { readonly kind: "address"; readonly url: string };
  /** Default `live` (invariant I3). */
  readonly onFailure?: OnFailure | undefined;
}

export interface RuleRequest extends Omit<OverrideRequest, "route"> {
  readonly priority?: number | undefined;
  readonly conditions: readonly Condition[];
}

export interface OverrideGrant {
  readonly override: Override;
  /** The routing key that selects the route: the value of the field `clew-route`. */
  readonly key: string;
  /** Milliseconds since the epoch; undefined for a key that never expires, as in open mode. */
  readonly keyExpiresAt?: number | undefined;
}

/** What a wiretap's author says. */
export interface WiretapRequest {
  readonly service: string;
  /** Default: the service's only port. Required when it has several. */
  readonly port?: string | undefined;
  /** Default: every request. */
  readonly route?: string | undefined;
  readonly target: OverrideRequest["target"];
}

/** What became of a wiretap's copies, as one agent or all together count them since the wiretap was made. */
export interface WiretapCounts {
  readonly copied: number;
  readonly dropped: number;
  /** Why the last one was dropped. */
  readonly lastDrop?: "unreachable" | "slow" | "busy" | "broken" | undefined;
}

export interface WiretapInfo extends WiretapCounts {
  readonly wiretap: Override;
}

/** A routing key: the value of the field `clew-route`. */
export interface RoutingKeyGrant {
  readonly key: string;
  /** Milliseconds since the epoch; undefined for a key that never expires, as in open mode. */
  readonly expiresAt?: number | undefined;
}

/** How one agent introduces itself when it watches. */
export interface AgentInfo {
  readonly id: string;
  readonly ports: Readonly<Record<string, PortInfo>>;
  readonly env: Readonly<Record<string, string>>;
}

/** How a gateway introduces itself when it watches. */
export interface GatewayInfo {
  readonly id: string;
  /** Such as `http://{slug}.preview.localhost:8000/`. */
  readonly previewUrl: string;
  /** Such as `http://127.0.0.1:8000/`. */
  readonly url: string;
  /** Names that previews may ask for as their ingress. An older gateway does not say. */
  readonly ingresses?: readonly string[] | undefined;
}

/** Which routing keys agents and gateways believe: the manager's word, for all of them. */
export interface RoutingKeys {
  /** `open`: plain route names. `signed`: keys of this environment with the signature of one of these public keys. */
  readonly mode: "open" | "signed";
  readonly environment: string;
  /** Key id → Ed25519 public key in PEM. */
  readonly publicKeys: Readonly<Record<string, string>>;
}

/** Remaining lease times in ms by session; sent with each snapshot and at least every 5 s. */
export type Leases = Readonly<Record<string, number>>;

export type TableEvent =
  | {
      readonly kind: "snapshot";
      readonly table: Table;
      readonly leases: Leases;
      /** An older manager sends none, which means open mode. After a change a new snapshot is sent. */
      readonly keys?: RoutingKeys | undefined;
    }
  | {
      readonly kind: "delta";
      readonly revision: number;
      /** The revision this delta builds on; another one at the receiver means a gap: watch anew. */
      readonly previous: number;
      readonly putOverrides: readonly Override[];
      readonly putRules: readonly Rule[];
      /** Ids of overrides and rules. */
      readonly removed: readonly string[];
      readonly leases: Leases;
    }
  | { readonly kind: "leases"; readonly leases: Leases };

/** What one agent (or gateway) did with one request, or with one connection of raw TCP. */
export interface DecisionReport {
  /** The value of the field `clew-explain`, when the request carried one. */
  readonly nonce?: string | undefined;
  readonly service: string;
  readonly agent: string;
  readonly port: string;
  /** `TCP` for a connection. */
  readonly method: string;
  /** Empty for a connection. */
  readonly path: string;
  /** Address of whoever made the connection, where a decision may depend on it. */
  readonly client?: string | undefined;
  /** Why a connection did not end in order, such as `cut`: its override had ended. */
  readonly broken?: string | undefined;
  readonly caller?: string | undefined;
  /** Microseconds since the epoch, by the agent's clock, when the head was read. */
  readonly atUs: number;
  readonly destination: "live" | "override";
  readonly reason: Reason;
  readonly route?: string | undefined;
  readonly rule?: string | undefined;
  readonly override?: string | undefined;
  readonly owner?: string | undefined;
  /** Code of the failure that made the live service answer instead. */
  readonly fallback?: string | undefined;
  readonly status?: number | undefined;
  readonly decideUs: number;
  readonly durationMs: number;
}
