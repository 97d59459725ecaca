export { ClewError, type ClewErrorOptions, isClewError } from "./clew-error.ts";
