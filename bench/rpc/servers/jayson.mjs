// @ts-check
// JSON-RPC 2.0. It validates nothing by itself, so the method does it, as a service would have to.
import { createRequire } from "node:module";
import { findOrder, orderArguments } from "../work.mjs";

const jayson = createRequire(import.meta.url)("jayson");

export function start() {
  const server = new jayson.Server({
    order(/** @type {unknown} */ args, /** @type {(error: unknown, result?: unknown) => void} */ done) {
      const checked = orderArguments.safeParse(args);
      if (checked.success) done(null, findOrder(checked.data));
      else done({ code: -32_602, message: "Invalid params" });
    },
  });
  return server.http();
}
