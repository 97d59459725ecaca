import type { Override } from "@clew/routing";
import { defineFunction, type FunctionContract } from "@clew/rpc/client";
import * as v from "valibot";
import type { Nothing } from "./preview-api.ts";
import {
  overrideSchema,
  name as text,
  wiretapInfoSchema,
  wiretapReportSchema,
  wiretapRequestSchema,
} from "./schemas.ts";
import { object } from "./shapes.ts";
import type { WiretapCounts, WiretapInfo, WiretapRequest } from "./types.ts";

interface Proof {
  readonly session: string;
  readonly token: string;
}

export interface WiretapFunctions {
  /** Makes one, or changes the target of the one that the session has for the same route, service and port. */
  readonly put: FunctionContract<
    Proof & { readonly wiretap: WiretapRequest },
    { readonly wiretap: Override }
  >;
  readonly delete: FunctionContract<
    { readonly session?: string | undefined; readonly token?: string | undefined; readonly id: string },
    Nothing
  >;
  readonly list: FunctionContract<
    { readonly service?: string | undefined; readonly session?: string | undefined },
    { readonly wiretaps: readonly WiretapInfo[] }
  >;
  /** From an agent: its counts since each wiretap began. */
  readonly report: FunctionContract<
    { readonly agent: string; readonly wiretaps: ReadonlyArray<WiretapCounts & { readonly id: string }> },
    Nothing
  >;
}

/** Most wiretaps in one report. Far more than one service has. */
export const maxWiretapsPerReport = 200;

const version = "1.0.0";

export const wiretapFunctions: WiretapFunctions = {
  put: defineFunction({
    name: "wiretaps.put",
    version,
    arguments: object({ session: text, token: text, wiretap: wiretapRequestSchema }),
    result: object({ wiretap: overrideSchema }),
    idempotent: true,
  }),
  delete: defineFunction({
    name: "wiretaps.delete",
    version,
    arguments: object({ session: v.optional(text), token: v.optional(text), id: text }),
    result: object({}),
  }),
  list: defineFunction({
    name: "wiretaps.list",
    version,
    arguments: object({ service: v.optional(text), session: v.optional(text) }),
    result: object({ wiretaps: v.array(wiretapInfoSchema) }),
    idempotent: true,
  }),
  report: defineFunction({
    name: "wiretaps.report",
    version,
    arguments: object({
      agent: text,
      wiretaps: v.pipe(v.array(wiretapReportSchema), v.maxLength(maxWiretapsPerReport)),
    }),
    result: object({}),
    idempotent: true,
  }),
};
