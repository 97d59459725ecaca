export {
  api,
  type Health,
  type ManagerApi,
  managerPath,
  maxDecisionsPerReport,
  type OverrideFilter,
  type SessionProof,
  type TableWatch,
} from "./api.ts";
export { BelievedKeys } from "./believed-keys.ts";
export type { Clock } from "./clock.ts";
export { createManagerClient, type ManagerClient, type ManagerClientOptions } from "./manager-client.ts";
export { maxVisitsPerReport, type Nothing, type PreviewDetails, type PreviewRequest } from "./preview-api.ts";
export { minPasswordLength } from "./preview-schemas.ts";
export { hashLinkToken, hashPassword, saltBytes } from "./preview-secrets.ts";
export type {
  EndedPreview,
  Preview,
  PreviewAccess,
  PreviewAccessRequest,
  PreviewEvent,
  PreviewGrant,
  PreviewInfo,
  PreviewVisit,
  PreviewVisitor,
  Replacement,
} from "./preview-types.ts";
export { applyDelta, diffTables, type TableDelta } from "./table-delta.ts";
export type {
  AgentInfo,
  DecisionReport,
  GatewayInfo,
  Leases,
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
export { type PreviewNotice, type PreviewWatcher, watchPreviews } from "./watch-previews.ts";
export { type TableWatcher, watchTable } from "./watch-table.ts";
export { maxWiretapsPerReport } from "./wiretap-api.ts";
