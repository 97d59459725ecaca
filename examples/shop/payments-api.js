import { defineFunction } from "@clew/rpc";
import { z } from "zod";

/** What payments offers, spoken as Forrst RPC. Shared by both sides. */
export const chargeFunction = defineFunction({
  name: "payments.charge",
  version: "1.0.0",
  arguments: z.object({ cents: z.number().int().nonnegative() }),
  result: z.object({ receipt: z.string(), cents: z.number().int() }),
});
