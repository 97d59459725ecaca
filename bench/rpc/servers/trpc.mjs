// @ts-check
import { initTRPC } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import { findOrder, orderArguments } from "../work.mjs";

export function start() {
  const t = initTRPC.create();
  const router = t.router({
    order: t.procedure.input(orderArguments).mutation(({ input }) => findOrder(input)),
  });
  return createHTTPServer({ router });
}
