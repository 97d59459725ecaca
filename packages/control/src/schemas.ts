import type { Condition, Override, Rule, Table, Target } from "@clew/routing";
import { z } from "zod";
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
export const name: z.ZodString = z.string().min(1).max(256);
/** Longest value in a condition: as much as a whole baggage header. */
export const value: z.ZodString = z.string().max(8_192);
const portNumber: z.ZodType<number> = z.int().min(1).max(65_535);
export const milliseconds: z.ZodNumber = z.number().min(0);
const onFailure: z.ZodType<"live" | "error"> = z.enum(["live", "error"]);

export const sessionInfoSchema: z.ZodType<SessionInfo> = z.object({
  id: name,
  owner: name,
  host: name,
  openedAt: milliseconds,
  state: z.enum(["connected", "away"]),
  leaseRemainingMs: milliseconds,
});

export const sessionGrantSchema: z.ZodType<SessionGrant> = z.object({
  session: name,
  token: name,
  epoch: z.int().min(0),
  leaseMs: milliseconds,
});

const portInfoSchema: z.ZodType<PortInfo> = z.object({
  address: name,
  protocol: z.enum(["auto", "http1", "tcp"]),
});

const portsSchema: z.ZodType<Record<string, PortInfo>> = z.record(name, portInfoSchema);
/** Variables hold certificates now and then; the 1 MiB of a request is the limit for all together. */
const envSchema: z.ZodType<Record<string, string>> = z.record(name, z.string().max(65_536));

export const serviceInfoSchema: z.ZodType<ServiceInfo> = z.object({
  name,
  ports: portsSchema,
  env: envSchema,
  agents: z.int().min(0),
  overrides: z.int().min(0),
});

export const agentInfoSchema: z.ZodType<AgentInfo> = z.object({
  id: name,
  ports: portsSchema,
  env: envSchema,
});

export const gatewayInfoSchema: z.ZodType<GatewayInfo> = z.object({
  id: name,
  previewUrl: name,
  url: z.url({ protocol: /^https?$/ }),
  ingresses: z.array(name).optional(),
});

const targetSchema: z.ZodType<Target> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tunnel"), session: name, port: portNumber, relay: name }),
  z.object({ kind: z.literal("address"), url: name }),
]);

export const overrideSchema: z.ZodType<Override> = z.object({
  id: name,
  route: name,
  service: name,
  port: name,
  target: targetSchema,
  owner: name,
  session: name.optional(),
  createdAt: milliseconds,
  onFailure,
});

/** Exactly one way to compare, and a name exactly where it means something. */
export const conditionSchema: z.ZodType<Condition> = z
  .object({
    on: z.enum(["field", "header", "path", "method", "client"]),
    name: name.optional(),
    equals: value.optional(),
    prefix: value.optional(),
    pattern: value.optional(),
  })
  .refine(
    ({ equals, prefix, pattern }) =>
      [equals, prefix, pattern].filter((way) => way !== undefined).length === 1,
    "exactly one of equals, prefix and pattern must be given",
  )
  .refine(
    ({ on, name }) => (name !== undefined) === (on === "field" || on === "header"),
    "a condition on a field or header needs its name; one on path, method or client has none",
  );

/** Most conditions of one rule: people write up to five. */
const maxConditions = 32;

export const ruleSchema: z.ZodType<Rule> = z.object({
  id: name,
  service: name,
  port: name,
  owner: name,
  priority: z.number(),
  conditions: z.array(conditionSchema).max(maxConditions),
  override: overrideSchema,
  createdAt: milliseconds,
});

const requestedTarget: z.ZodType<OverrideRequest["target"]> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tunnel"), port: portNumber }),
  z.object({ kind: z.literal("address"), url: z.url({ protocol: /^https?$/ }) }),
]);

export const overrideRequestSchema: z.ZodType<OverrideRequest> = z.object({
  route: name,
  service: name,
  port: name.optional(),
  target: requestedTarget,
  onFailure: onFailure.optional(),
});

export const ruleRequestSchema: z.ZodType<RuleRequest> = z.object({
  service: name,
  port: name.optional(),
  target: requestedTarget,
  onFailure: onFailure.optional(),
  priority: z.number().optional(),
  // None at all is for the manager to judge: on a port of raw TCP it means every connection.
  conditions: z.array(conditionSchema).max(maxConditions),
});

export const wiretapRequestSchema: z.ZodType<WiretapRequest> = z.object({
  service: name,
  port: name.optional(),
  route: name.optional(),
  target: requestedTarget,
});

const wiretapCounts = {
  copied: z.int().min(0),
  dropped: z.int().min(0),
  lastDrop: z.enum(["unreachable", "slow", "busy", "broken"]).optional(),
};

export const wiretapReportSchema: z.ZodType<WiretapCounts & { readonly id: string }> = z.object({
  id: name,
  ...wiretapCounts,
});

export const wiretapInfoSchema: z.ZodType<WiretapInfo> = z.object({
  wiretap: overrideSchema,
  ...wiretapCounts,
});

export const overrideGrantSchema: z.ZodType<OverrideGrant> = z.object({
  override: overrideSchema,
  key: value,
  keyExpiresAt: milliseconds.optional(),
});

export const routingKeyGrantSchema: z.ZodType<RoutingKeyGrant> = z.object({
  key: value,
  expiresAt: milliseconds.optional(),
});

export const routingKeysSchema: z.ZodType<RoutingKeys> = z.object({
  mode: z.enum(["open", "signed"]),
  environment: name,
  publicKeys: z.record(name, value),
});

const revision: z.ZodType<number> = z.int().min(0);
const leasesSchema: z.ZodType<Record<string, number>> = z.record(name, milliseconds);

const tableSchema: z.ZodType<Table> = z.object({
  revision,
  service: name,
  overrides: z.array(overrideSchema),
  rules: z.array(ruleSchema),
  wiretaps: z.array(overrideSchema),
});

export const tableEventSchema: z.ZodType<TableEvent> = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("snapshot"),
    table: tableSchema,
    leases: leasesSchema,
    keys: routingKeysSchema.optional(),
  }),
  z.object({
    kind: z.literal("delta"),
    revision,
    previous: revision,
    putOverrides: z.array(overrideSchema),
    putRules: z.array(ruleSchema),
    removed: z.array(name),
    leases: leasesSchema,
  }),
  z.object({ kind: z.literal("leases"), leases: leasesSchema }),
]);

export const decisionReportSchema: z.ZodType<DecisionReport> = z.object({
  nonce: name.optional(),
  service: name,
  agent: name,
  port: name,
  method: z.string().max(256),
  path: value,
  client: name.optional(),
  broken: name.optional(),
  caller: z.string().max(8_192).optional(),
  atUs: z.number(),
  destination: z.enum(["live", "override"]),
  reason: z.enum([
    "route",
    "rule",
    "no-match",
    "route-elsewhere",
    "key-expired",
    "key-invalid",
    "health-check",
  ]),
  route: value.optional(),
  rule: name.optional(),
  override: name.optional(),
  owner: name.optional(),
  fallback: name.optional(),
  status: z.int().optional(),
  decideUs: z.number().min(0),
  durationMs: z.number().min(0),
});
