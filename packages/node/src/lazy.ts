import { createRequire } from "node:module";

/**
 * Loads modules of this folder when they are needed, by `require` as there is no time to wait for: those that most
 * processes never need, as each file costs the start of every process about half a millisecond.
 */
export const require: NodeJS.Require = createRequire(import.meta.url);
