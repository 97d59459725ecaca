import { ClewError } from "@clew/errors";

/** A field that no carrier can hold, given by the application itself. What comes from outside never raises one. */
export class ContextError extends ClewError {}
