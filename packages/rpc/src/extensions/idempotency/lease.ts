/** Renews a claim while its work goes on. */
export class Lease {
  readonly #timer: NodeJS.Timeout;

  /** A renewal that fails is tried again in its turn: three fit into one lease. */
  constructor(leaseMs: number, renew: () => Promise<boolean>) {
    this.#timer = setInterval(() => {
      renew().then(
        (isOurs) => {
          // Taken over by another: renewing would never succeed again.
          if (!isOurs) this.end();
        },
        () => {},
      );
    }, leaseMs / 3);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
