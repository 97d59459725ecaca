export type {
  Condition,
  Decision,
  KeyStatus,
  OnFailure,
  Override,
  Reason,
  RoutableRequest,
  Rule,
  Table,
  Target,
} from "./types.ts";
