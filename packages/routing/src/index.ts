export { checkRule, maxConditionLength, maxConditions } from "./check-rule.ts";
export { type DecideOptions, decide, defaultHealthAgents, defaultHealthPaths } from "./decide.ts";
export { type Conflict, findConflict } from "./find-conflict.ts";
export { type IndexedTable, indexTable } from "./indexed-table.ts";
export { patternLimits } from "./pattern.ts";
export { reasons } from "./reasons.ts";
export { RoutingError } from "./routing-error.ts";
export { type CompiledRule, compareRules, compileRule } from "./rule.ts";
export {
  type Condition,
  type Decision,
  everyRoute,
  type KeyStatus,
  type OnFailure,
  type Override,
  type Reason,
  type RoutableRequest,
  type Rule,
  type Table,
  type Target,
} from "./types.ts";
