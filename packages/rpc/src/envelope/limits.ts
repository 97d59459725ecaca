export interface EnvelopeLimits {
  /** Bytes of a request's body. Default 1 MiB, as the specification recommends; 413 beyond. */
  readonly maxBodyBytes: number;
  /** Arrays and objects inside one another. Default 64: no document of people is deeper, and every walk over one stays cheap. */
  readonly maxDepth: number;
  /** Errors in one answer. Default 32: more do not help a reader. */
  readonly maxErrors: number;
}

export const defaultEnvelopeLimits: EnvelopeLimits = { maxBodyBytes: 1_048_576, maxDepth: 64, maxErrors: 32 };

/** The specification's bound for an answer; also for one event of a stream. */
export const maxResponseBytes = 10_485_760;
