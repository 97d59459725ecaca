export { AgentError } from "./agent-error.ts";
export {
  type Address,
  type AgentLimits,
  type AgentOptions,
  type AgentPort,
  defaultAgentLimits,
} from "./agent-options.ts";
export { type Agent, startAgent } from "./start-agent.ts";
