import type { Condition, Override, Rule, Table, Target } from "@clew/routing";
import * as v from "valibot";
import { httpUrl, number, object, record, variant, wholeNumber } from "./shapes.ts";
import type {
  AgentInfo,
  DecisionReport,
  GatewayInfo,
  OverrideGrant,
  OverrideRequest,
  PortInfo,
  RoutingKeyGrant,
  RoutingKeys,
  RuleRequest,
  ServiceInfo,
  SessionGrant,
  SessionInfo,
  TableEvent,
  WiretapCounts,
  WiretapInfo,
  WiretapRequest,
} from "./types.ts";

// Strict about what is known, silent about what is not: unknown members are dropped, so that an older and a newer
// release understand each other.

/** Longest name of a session, service, port, owner or host: no real one is longer, and each is kept in memory (I8). */
export const name: v.GenericSchema<string> = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
/** Longest value in a condition: as much as a whole baggage header. */
export const value: v.GenericSchema<string> = v.pipe(v.string(), v.maxLength(8_192));
const portNumber: v.GenericSchema<number> = v.pipe(wholeNumber, v.minValue(1), v.maxValue(65_535));
export const milliseconds: v.GenericSchema<number> = v.pipe(number, v.minValue(0));
export const count: v.GenericSchema<number> = v.pipe(wholeNumber, v.minValue(0));
const onFailure: v.GenericSchema<"live" | "error"> = v.picklist(["live", "error"]);

export const sessionInfoSchema: v.GenericSchema<SessionInfo> = object({
  id: name,
  owner: name,
  host: name,
  openedAt: milliseconds,
  state: v.picklist(["connected", "away"]),
  leaseRemainingMs: milliseconds,
});

export const sessionGrantSchema: v.GenericSchema<SessionGrant> = object({
  session: name,
  token: name,
  epoch: count,
  leaseMs: milliseconds,
});

const portInfoSchema: v.GenericSchema<PortInfo> = object({
  address: name,
  protocol: v.picklist(["auto", "http1", "tcp"]),
});

const portsSchema: v.GenericSchema<Record<string, PortInfo>> = record(name, portInfoSchema);
/** Variables hold certificates now and then; the 1 MiB of a request is the limit for all together. */
const envSchema: v.GenericSchema<Record<string, string>> = record(
  name,
  v.pipe(v.string(), v.maxLength(65_536)),
);

export const serviceInfoSchema: v.GenericSchema<ServiceInfo> = object({
  name,
  ports: portsSchema,
  env: envSchema,
  agents: count,
  overrides: count,
});

export const agentInfoSchema: v.GenericSchema<AgentInfo> = object({
  id: name,
  ports: portsSchema,
  env: envSchema,
});

export const gatewayInfoSchema: v.GenericSchema<GatewayInfo> = object({
  id: name,
  previewUrl: name,
  url: httpUrl,
  ingresses: v.optional(v.array(name)),
});

const targetSchema: v.GenericSchema<Target> = variant("kind", [
  object({ kind: v.literal("tunnel"), session: name, port: portNumber, relay: name }),
  object({ kind: v.literal("address"), url: name }),
]);

export const overrideSchema: v.GenericSchema<Override> = object({
  id: name,
  route: name,
  service: name,
  port: name,
  target: targetSchema,
  owner: name,
  session: v.optional(name),
  createdAt: milliseconds,
  onFailure,
});

/** Exactly one way to compare, and a name exactly where it means something. */
export const conditionSchema: v.GenericSchema<Condition> = v.pipe(
  object({
    on: v.picklist(["field", "header", "path", "method", "client"]),
    name: v.optional(name),
    equals: v.optional(value),
    prefix: v.optional(value),
    pattern: v.optional(value),
  }),
  v.check(
    ({ equals, prefix, pattern }) =>
      [equals, prefix, pattern].filter((way) => way !== undefined).length === 1,
    "exactly one of equals, prefix and pattern must be given",
  ),
  v.check(
    ({ on, name }) => (name !== undefined) === (on === "field" || on === "header"),
    "a condition on a field or header needs its name; one on path, method or client has none",
  ),
);

/** Most conditions of one rule: people write up to five. */
const maxConditions = 32;

export const ruleSchema: v.GenericSchema<Rule> = object({
  id: name,
  service: name,
  port: name,
  owner: name,
  priority: number,
  conditions: v.pipe(v.array(conditionSchema), v.maxLength(maxConditions)),
  override: overrideSchema,
  createdAt: milliseconds,
});

const requestedTarget: v.GenericSchema<OverrideRequest["target"]> = variant("kind", [
  object({ kind: v.literal("tunnel"), port: portNumber }),
  object({ kind: v.literal("address"), url: httpUrl }),
]);

export const overrideRequestSchema: v.GenericSchema<OverrideRequest> = object({
  route: name,
  service: name,
  port: v.optional(name),
  target: requestedTarget,
  onFailure: v.optional(onFailure),
});

export const ruleRequestSchema: v.GenericSchema<RuleRequest> = object({
  service: name,
  port: v.optional(name),
  target: requestedTarget,
  onFailure: v.optional(onFailure),
  priority: v.optional(number),
  // None at all is for the manager to judge: on a port of raw TCP it means every connection.
  conditions: v.pipe(v.array(conditionSchema), v.maxLength(maxConditions)),
});

export const wiretapRequestSchema: v.GenericSchema<WiretapRequest> = object({
  service: name,
  port: v.optional(name),
  route: v.optional(name),
  target: requestedTarget,
});

const wiretapCounts = {
  copied: count,
  dropped: count,
  lastDrop: v.optional(v.picklist(["unreachable", "slow", "busy", "broken"])),
};

export const wiretapReportSchema: v.GenericSchema<WiretapCounts & { readonly id: string }> = object({
  id: name,
  ...wiretapCounts,
});

export const wiretapInfoSchema: v.GenericSchema<WiretapInfo> = object({
  wiretap: overrideSchema,
  ...wiretapCounts,
});

export const overrideGrantSchema: v.GenericSchema<OverrideGrant> = object({
  override: overrideSchema,
  key: value,
  keyExpiresAt: v.optional(milliseconds),
});

export const routingKeyGrantSchema: v.GenericSchema<RoutingKeyGrant> = object({
  key: value,
  expiresAt: v.optional(milliseconds),
});

export const routingKeysSchema: v.GenericSchema<RoutingKeys> = object({
  mode: v.picklist(["open", "signed"]),
  environment: name,
  publicKeys: record(name, value),
});

const revision = count;
const leasesSchema: v.GenericSchema<Record<string, number>> = record(name, milliseconds);

const tableSchema: v.GenericSchema<Table> = object({
  revision,
  service: name,
  overrides: v.array(overrideSchema),
  rules: v.array(ruleSchema),
  wiretaps: v.array(overrideSchema),
});

export const tableEventSchema: v.GenericSchema<TableEvent> = variant("kind", [
  object({
    kind: v.literal("snapshot"),
    table: tableSchema,
    leases: leasesSchema,
    keys: v.optional(routingKeysSchema),
  }),
  object({
    kind: v.literal("delta"),
    revision,
    previous: revision,
    putOverrides: v.array(overrideSchema),
    putRules: v.array(ruleSchema),
    removed: v.array(name),
    leases: leasesSchema,
  }),
  object({ kind: v.literal("leases"), leases: leasesSchema }),
]);

export const decisionReportSchema: v.GenericSchema<DecisionReport> = object({
  nonce: v.optional(name),
  service: name,
  agent: name,
  port: name,
  method: v.pipe(v.string(), v.maxLength(256)),
  path: value,
  client: v.optional(name),
  broken: v.optional(name),
  caller: v.optional(value),
  atUs: number,
  destination: v.picklist(["live", "override"]),
  reason: v.picklist([
    "route",
    "rule",
    "no-match",
    "route-elsewhere",
    "key-expired",
    "key-invalid",
    "health-check",
  ]),
  route: v.optional(value),
  rule: v.optional(name),
  override: v.optional(name),
  owner: v.optional(name),
  fallback: v.optional(name),
  status: v.optional(wholeNumber),
  decideUs: milliseconds,
  durationMs: milliseconds,
});
