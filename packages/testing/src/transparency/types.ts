/** How long something may take to come: far above what anything takes here, so only a fault gets there. */
export const patienceMs = 15_000;

/** As long as a case may take, all its parts together: what never comes would hold up the run for ever. */
export const caseTimeoutMs = 120_000;

/** Something that forwards HTTP/1.1, as it is started for a test. */
export interface Forwarder extends AsyncDisposable {
  readonly port: number;
}

export interface TransparencyOptions {
  /** Starts one that sends everything to this loopback port, with limits that no test here meets. */
  start(upstreamPort: number): Promise<Forwarder>;
  /** Lower-case names of lines that it adds to requests, or takes away, by its purpose. Default none. */
  readonly ownRequestHeaders?: readonly string[] | undefined;
}

/** One request and all its answers, to be sent on a connection that may carry others. */
export interface Exchange {
  readonly title: string;
  /** Whole, with the line that names the exchange to the upstream. */
  readonly request: Buffer;
  /** Whole, interim answers included. */
  readonly answer: Buffer;
  /** The answer's body ends with the connection. */
  readonly endsConnection: boolean;
  /** The answer, or the request, says that the connection is over after it. */
  readonly isLast: boolean;
}

/** What of an exchange came to both ends. */
export interface Record {
  readonly request: Buffer;
  readonly answer: Buffer;
}
