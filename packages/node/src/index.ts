/** Importing this package is what registers it: `node --import @clew/node app.js`, or `--require`. */
import { register } from "./registration.ts";

register();

export type { HookFault } from "./hook.ts";
export type { LostContext } from "./lost-context.ts";
export type { WithheldContext } from "./outgoing.ts";
export { type Registration, register } from "./registration.ts";
export type { RegisterOptions } from "./settings.ts";
