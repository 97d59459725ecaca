import type { ReceivedRequest } from "./received-request.ts";
import type { Tap, TapStream } from "./wiretap.ts";

/** The copies of one request, as it goes upstream for the first time. */
export class RequestTaps {
  readonly #taps: readonly Tap[];
  /** While there is more to come; undefined before and after. */
  #copies: readonly TapStream[] | undefined;
  #hasBegun = false;

  constructor(taps: readonly Tap[]) {
    this.#taps = taps;
  }

  /** What is sent now: the request's beginning, and what has come since. A second time tells nothing: it is no other request. */
  begin({ first, headLength }: ReceivedRequest, more: readonly Buffer[] | undefined): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const head = first.subarray(0, headLength);
    this.#copies = this.#taps.map((tap) => tap.open(head)).filter((copy) => copy !== undefined);
    if (first.length > headLength) this.write(first.subarray(headLength));
    for (const piece of more ?? []) this.write(piece);
  }

  write(piece: Buffer): void {
    for (const copy of this.#copies ?? []) copy.write(piece);
  }

  end(): void {
    for (const copy of this.#copies ?? []) copy.end();
    this.#copies = undefined;
  }

  abort(): void {
    for (const copy of this.#copies ?? []) copy.abort();
    this.#copies = undefined;
  }
}
