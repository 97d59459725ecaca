/** How long what runs has to finish, and idle connections have for a request that is on its way. */
export interface Drain {
  readonly graceMs: number;
  readonly idleGraceMs: number;
}

/** When somebody waits for the end: idle connections need not be waited for. */
export const stopDrain: Drain = { graceMs: 3_000, idleGraceMs: 0 };

/** When another process serves already. Long: nobody waits for it, and connections may last. */
export const relievedDrain: Drain = { graceMs: 60_000, idleGraceMs: 1_000 };
