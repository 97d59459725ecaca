/** The same without the effect of importing: for tests, and for programs that decide for themselves. */
export { type ContextPort, contextPort, type MessageEnd } from "./context-port.ts";
export type { HookFault } from "./hook.ts";
export type { LostContext } from "./lost-context.ts";
export type { WithheldContext } from "./outgoing.ts";
export { type Registration, register } from "./registration.ts";
export type { RegisterOptions } from "./settings.ts";
