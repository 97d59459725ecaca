import { ClewError } from "@clew/errors";

/** Codes: `E_AGENT_EXPOSED`, `E_AGENT_PORTS`, `E_OVERRIDE_ADDRESS`. */
export class AgentError extends ClewError {}
