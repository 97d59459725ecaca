import type { Logger } from "pino";
import type { ManagerClock } from "./clock.ts";
import type { Directory } from "./directory.ts";
import type { ManagerLimits } from "./limits.ts";
import type { Registry } from "./registry/registry.ts";
import type { KeyRing } from "./routing-key.ts";

/** What every part of the manager works with. Writes go to the registry, reads come from the directory. */
export interface Core {
  readonly registry: Registry;
  readonly directory: Directory;
  readonly clock: ManagerClock;
  readonly limits: ManagerLimits;
  /** `host:port` of this manager's relay, as agents reach it. */
  readonly relay: string;
  readonly keys: KeyRing;
  readonly log: Logger;
}
