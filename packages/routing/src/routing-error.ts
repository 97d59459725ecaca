import { ClewError } from "@clew/errors";

/** A rule or pattern that cannot be accepted. Codes: `E_RULE_INVALID`, `E_PATTERN_INVALID`. */
export class RoutingError extends ClewError {}
