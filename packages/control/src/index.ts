export {
  api,
  type Health,
  type ManagerApi,
  managerPath,
  maxDecisionsPerReport,
  type Nothing,
  type OverrideFilter,
  type PreviewRequest,
  type SessionProof,
  type TableWatch,
} from "./api.ts";
export type { Clock } from "./clock.ts";
export { createManagerClient, type ManagerClient, type ManagerClientOptions } from "./manager-client.ts";
export { applyDelta, diffTables, type TableDelta } from "./table-delta.ts";
export type {
  AgentInfo,
  DecisionReport,
  GatewayInfo,
  Leases,
  OverrideGrant,
  OverrideRequest,
  PortInfo,
  Preview,
  PreviewEvent,
  RoutingKeyGrant,
  RoutingKeys,
  RuleRequest,
  ServiceInfo,
  SessionGrant,
  SessionInfo,
  TableEvent,
} from "./types.ts";
export { type PreviewWatcher, watchPreviews } from "./watch-previews.ts";
export { type TableWatcher, watchTable } from "./watch-table.ts";
