import type { Override, Rule } from "@clew/routing";
import { defineFunction, defineStream, type FunctionContract, type StreamContract } from "@clew/rpc/client";
import * as v from "valibot";
import { type Nothing, type PreviewFunctions, previews } from "./preview-api.ts";
import {
  agentInfoSchema,
  count,
  decisionReportSchema,
  overrideGrantSchema,
  overrideRequestSchema,
  overrideSchema,
  routingKeyGrantSchema,
  ruleRequestSchema,
  ruleSchema,
  serviceInfoSchema,
  sessionGrantSchema,
  sessionInfoSchema,
  tableEventSchema,
  name as text,
} from "./schemas.ts";
import { number, object, wholeNumber } from "./shapes.ts";
import type {
  AgentInfo,
  DecisionReport,
  OverrideGrant,
  OverrideRequest,
  RoutingKeyGrant,
  RuleRequest,
  ServiceInfo,
  SessionGrant,
  SessionInfo,
  TableEvent,
} from "./types.ts";
import { type WiretapFunctions, wiretapFunctions } from "./wiretap-api.ts";

/** Where on the manager's port the API is spoken. */
export const managerPath = "/forrst";

/** Proves that the caller is the session. */
export interface SessionProof {
  readonly session: string;
  readonly token: string;
}

/** Takes the place of whoever holds the route now, where that is allowed. */
type Takeover = { readonly takeover?: boolean | undefined };

export interface Health {
  readonly status: string;
  /** Of the manager's release. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly environment: string;
}

/** Every function of the manager. The names on the wire are the paths here, but for `health`, which is `manager.health`. */
export interface ManagerApi {
  readonly sessions: {
    readonly open: FunctionContract<{ readonly owner: string; readonly host: string }, SessionGrant>;
    /** The session's next epoch; whoever holds an older one is refused from then on. */
    readonly resume: FunctionContract<SessionProof, SessionGrant>;
    readonly close: FunctionContract<SessionProof, Nothing>;
    readonly list: FunctionContract<Nothing, { readonly sessions: readonly SessionInfo[] }>;
  };
  readonly services: {
    readonly list: FunctionContract<Nothing, { readonly services: readonly ServiceInfo[] }>;
    readonly describe: FunctionContract<{ readonly service: string }, ServiceInfo>;
  };
  readonly overrides: {
    readonly put: FunctionContract<
      SessionProof & Takeover & { readonly override: OverrideRequest },
      OverrideGrant
    >;
    readonly delete: FunctionContract<Optional<SessionProof> & { readonly id: string }, Nothing>;
    readonly list: FunctionContract<OverrideFilter, { readonly overrides: readonly Override[] }>;
  };
  readonly rules: {
    readonly put: FunctionContract<
      SessionProof & Takeover & { readonly rule: RuleRequest },
      { readonly rule: Rule }
    >;
    readonly delete: FunctionContract<Optional<SessionProof> & { readonly id: string }, Nothing>;
    readonly list: FunctionContract<
      { readonly service?: string | undefined },
      { readonly rules: readonly Rule[] }
    >;
  };
  readonly routes: {
    /** A key for a route, whether it has overrides or not: they may come later. */
    readonly key: FunctionContract<
      {
        readonly route: string;
        /** Default 24 h; without meaning in open mode, whose keys never expire. */
        readonly expiresInMs?: number | undefined;
      },
      RoutingKeyGrant
    >;
  };
  readonly wiretaps: WiretapFunctions;
  readonly previews: PreviewFunctions;
  readonly tables: {
    readonly watch: StreamContract<TableWatch, TableEvent>;
  };
  readonly decisions: {
    readonly report: FunctionContract<{ readonly decisions: readonly DecisionReport[] }, Nothing>;
    /** Those that are still remembered, then new ones. */
    readonly watch: StreamContract<{ readonly nonce?: string | undefined }, DecisionReport>;
  };
  readonly health: FunctionContract<Nothing, Health>;
}

type Optional<T> = { readonly [Name in keyof T]?: T[Name] | undefined };

export interface OverrideFilter {
  readonly service?: string | undefined;
  readonly route?: string | undefined;
  readonly session?: string | undefined;
}

export interface TableWatch {
  readonly service: string;
  readonly agent: AgentInfo;
  /** The revision that the agent has; the manager may go on from there instead of sending the whole table. */
  readonly since?: number | undefined;
}

/** Most decisions in one report: agents send what gathered in a moment, and one report stays far below the body limit. */
export const maxDecisionsPerReport = 200;

const version = "1.0.0";
const proof = { session: text, token: text };
const maybeProof = { session: v.optional(text), token: v.optional(text) };
const takeover = v.optional(v.boolean());
const nothing: v.GenericSchema<Nothing> = object({});
const durationMs = v.pipe(wholeNumber, v.minValue(1));

const sessions: ManagerApi["sessions"] = {
  open: defineFunction({
    name: "sessions.open",
    version,
    arguments: object({ owner: text, host: text }),
    result: sessionGrantSchema,
  }),
  resume: defineFunction({
    name: "sessions.resume",
    version,
    arguments: object(proof),
    result: sessionGrantSchema,
  }),
  close: defineFunction({
    name: "sessions.close",
    version,
    arguments: object(proof),
    result: nothing,
    idempotent: true,
  }),
  list: defineFunction({
    name: "sessions.list",
    version,
    arguments: nothing,
    result: object({ sessions: v.array(sessionInfoSchema) }),
    idempotent: true,
  }),
};

const services: ManagerApi["services"] = {
  list: defineFunction({
    name: "services.list",
    version,
    arguments: nothing,
    result: object({ services: v.array(serviceInfoSchema) }),
    idempotent: true,
  }),
  describe: defineFunction({
    name: "services.describe",
    version,
    arguments: object({ service: text }),
    result: serviceInfoSchema,
    idempotent: true,
  }),
};

const overrides: ManagerApi["overrides"] = {
  // Idempotent by the manager's rule that a session's second put for the same route, service and port is an update.
  put: defineFunction({
    name: "overrides.put",
    version,
    arguments: object({ ...proof, takeover, override: overrideRequestSchema }),
    result: overrideGrantSchema,
    idempotent: true,
  }),
  delete: defineFunction({
    name: "overrides.delete",
    version,
    arguments: object({ ...maybeProof, id: text }),
    result: nothing,
  }),
  list: defineFunction({
    name: "overrides.list",
    version,
    arguments: object({ service: v.optional(text), route: v.optional(text), session: v.optional(text) }),
    result: object({ overrides: v.array(overrideSchema) }),
    idempotent: true,
  }),
};

const rules: ManagerApi["rules"] = {
  put: defineFunction({
    name: "rules.put",
    version,
    arguments: object({ ...proof, takeover, rule: ruleRequestSchema }),
    result: object({ rule: ruleSchema }),
  }),
  delete: defineFunction({
    name: "rules.delete",
    version,
    arguments: object({ ...maybeProof, id: text }),
    result: nothing,
  }),
  list: defineFunction({
    name: "rules.list",
    version,
    arguments: object({ service: v.optional(text) }),
    result: object({ rules: v.array(ruleSchema) }),
    idempotent: true,
  }),
};

const routes: ManagerApi["routes"] = {
  key: defineFunction({
    name: "routes.key",
    version,
    arguments: object({ route: text, expiresInMs: v.optional(durationMs) }),
    result: routingKeyGrantSchema,
    idempotent: true,
  }),
};

export const api: ManagerApi = {
  sessions,
  services,
  overrides,
  rules,
  routes,
  wiretaps: wiretapFunctions,
  previews,
  tables: {
    watch: defineStream({
      name: "tables.watch",
      version,
      arguments: object({ service: text, agent: agentInfoSchema, since: v.optional(count) }),
      event: tableEventSchema,
    }),
  },
  decisions: {
    report: defineFunction({
      name: "decisions.report",
      version,
      arguments: object({
        decisions: v.pipe(v.array(decisionReportSchema), v.maxLength(maxDecisionsPerReport)),
      }),
      result: nothing,
    }),
    watch: defineStream({
      name: "decisions.watch",
      version,
      arguments: object({ nonce: v.optional(text) }),
      event: decisionReportSchema,
    }),
  },
  health: defineFunction({
    name: "manager.health",
    version,
    arguments: nothing,
    result: object({ status: text, version: text, startedAt: number, environment: text }),
    idempotent: true,
  }),
};
