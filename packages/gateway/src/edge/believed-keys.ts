import { isLoopbackHost, type RoutingKeyMode } from "@clew/context";
import { createRoutingKeyVerifier } from "@clew/context/signing";
import type { RoutingKeys } from "@clew/control";

/**
 * Which routing keys are believed when they come from outside, by the manager's last word (I2). Before its first one:
 * none. A plain one never is where others can reach this gateway, since everybody can guess a route's name (I5).
 */
export class BelievedKeys {
  readonly #isLoopback: boolean;
  #mode: RoutingKeyMode = { open: false };

  constructor(listenHost: string) {
    this.#isLoopback = isLoopbackHost(listenHost);
  }

  /** What `parseRoutingKey` asks for. The same object, with what it has verified, as long as the manager's word stands. */
  get mode(): RoutingKeyMode {
    return this.#mode;
  }

  /** Throws `ContextError` `E_SIGNING_KEY` for a key that cannot be used; then none is believed. */
  use({ mode, environment, publicKeys }: RoutingKeys): void {
    this.#mode = { open: false };
    this.#mode =
      mode === "open"
        ? { open: this.#isLoopback }
        : { open: false, verify: createRoutingKeyVerifier({ environment, publicKeys }) };
  }
}
