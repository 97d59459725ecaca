import type { RoutingKeyMode } from "@clew/context";
import { createRoutingKeyVerifier } from "@clew/context/signing";
import type { RoutingKeys } from "./types.ts";

/**
 * Which routing keys are believed, by the manager's last word (I2). Before its first one: none. Plain ones never are
 * where `plain` is false, whatever the manager says: everybody can guess a route's name (I5).
 */
export class BelievedKeys {
  #mode: RoutingKeyMode = { open: false };
  readonly #plain: boolean;

  constructor(options: { readonly plain: boolean }) {
    this.#plain = options.plain;
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
        ? { open: this.#plain }
        : { open: false, verify: createRoutingKeyVerifier({ environment, publicKeys }) };
  }
}
