import { isDeepStrictEqual } from "node:util";
import type { RoutingKeys } from "./types.ts";

/** What a manager means that sends no keys: one from before there were signed ones. */
const openMode: RoutingKeys = { mode: "open", environment: "", publicKeys: {} };

/**
 * Hands over the keys of a snapshot when they are not those handed over last, so that what was verified with them is
 * remembered across reconnects. Without a manager the last ones stay in use (I2).
 */
export function createKeyWatch(
  onKeys: (keys: RoutingKeys) => void,
): (snapshot: { readonly keys?: RoutingKeys | undefined }) => void {
  let last: RoutingKeys | undefined;
  return ({ keys = openMode }) => {
    if (isDeepStrictEqual(keys, last)) return;
    last = keys;
    onKeys(keys);
  };
}
