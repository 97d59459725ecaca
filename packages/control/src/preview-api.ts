import { defineFunction, defineStream, type FunctionContract, type StreamContract } from "@clew/rpc";
import type { JsonValue } from "@clew/wire";
import { z } from "zod";
import {
  accessRequestSchema,
  fieldsSchema,
  headersSchema,
  previewEventSchema,
  previewGrantSchema,
  previewInfoSchema,
  previewVisitorSchema,
  previewVisitSchema,
  visitorSchema,
} from "./preview-schemas.ts";
import type {
  PreviewAccessRequest,
  PreviewEvent,
  PreviewGrant,
  PreviewInfo,
  PreviewVisit,
  PreviewVisitor,
} from "./preview-types.ts";
import { gatewayInfoSchema } from "./schemas.ts";
import type { GatewayInfo } from "./types.ts";

export type Nothing = Readonly<Record<string, never>>;

/** What a preview's maker says. Where the preview exists already, what is left out stays as it was. */
export interface PreviewRequest {
  readonly route: string;
  readonly owner: string;
  /** Chosen slug. Default: one that cannot be guessed. */
  readonly name?: string | undefined;
  /** Default 24 h: as long as a review usually takes. */
  readonly expiresInMs?: number | undefined;
  /** Default: `public` where only this machine reaches the gateway, else `link`. */
  readonly access?: PreviewAccessRequest | undefined;
  /** Name of one of the gateway's ingresses. Default: the gateway's own. */
  readonly ingress?: string | undefined;
  /** Headers for its visitors' requests; none of those that the gateway or HTTP itself sets. */
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]> | undefined;
  /** Custom fields for its visitors' requests; none of Clew's own. */
  readonly fields?: Readonly<Record<string, JsonValue>> | undefined;
  /** Default true: visitors see that they look at a preview. */
  readonly banner?: boolean | undefined;
}

/** What is known of one preview: who visited it, most recent first. */
export interface PreviewDetails {
  readonly preview: PreviewInfo;
  readonly visitors: readonly PreviewVisitor[];
  /** As in {@link PreviewGrant}, where it was asked for. */
  readonly linkToken?: string | undefined;
}

export interface PreviewFunctions {
  readonly create: FunctionContract<PreviewRequest, { readonly preview: PreviewGrant }>;
  readonly extend: FunctionContract<
    { readonly slug: string; readonly expiresInMs: number },
    { readonly preview: PreviewInfo }
  >;
  readonly revoke: FunctionContract<{ readonly slug: string }, Nothing>;
  readonly list: FunctionContract<
    { readonly route?: string | undefined },
    { readonly previews: readonly PreviewInfo[] }
  >;
  /** `withLink`: a link's token too, which is told to nobody who did not ask for it. */
  readonly show: FunctionContract<
    { readonly slug: string; readonly withLink?: boolean | undefined },
    PreviewDetails
  >;
  /** Gateways tell of visits, several at once. Those to previews that are not there are dropped. */
  readonly visits: FunctionContract<{ readonly visits: readonly PreviewVisit[] }, Nothing>;
  /** That visitor's cookie is worth nothing from then on. */
  readonly revokeVisitor: FunctionContract<{ readonly slug: string; readonly visitor: string }, Nothing>;
  readonly watch: StreamContract<{ readonly gateway: GatewayInfo }, PreviewEvent>;
}

/** Most visits in one report: a gateway sends what gathered in a moment, and one report stays far below the body limit. */
export const maxVisitsPerReport = 200;

const version = "1.0.0";
const text: z.ZodString = z.string().min(1).max(256);
const durationMs: z.ZodInt = z.int().min(1);
const nothing: z.ZodType<Nothing> = z.object({});
const slug = z.object({ slug: text });

export const previews: PreviewFunctions = {
  create: defineFunction({
    name: "previews.create",
    version,
    arguments: z.object({
      route: text,
      owner: text,
      name: text.optional(),
      expiresInMs: durationMs.optional(),
      access: accessRequestSchema.optional(),
      ingress: text.optional(),
      headers: headersSchema.optional(),
      fields: fieldsSchema.optional(),
      banner: z.boolean().optional(),
    }),
    result: z.object({ preview: previewGrantSchema }),
  }),
  extend: defineFunction({
    name: "previews.extend",
    version,
    arguments: z.object({ slug: text, expiresInMs: durationMs }),
    result: z.object({ preview: previewInfoSchema }),
    idempotent: true,
  }),
  revoke: defineFunction({ name: "previews.revoke", version, arguments: slug, result: nothing }),
  list: defineFunction({
    name: "previews.list",
    version,
    arguments: z.object({ route: text.optional() }),
    result: z.object({ previews: z.array(previewInfoSchema) }),
    idempotent: true,
  }),
  show: defineFunction({
    name: "previews.show",
    version,
    arguments: z.object({ slug: text, withLink: z.boolean().optional() }),
    result: z.object({
      preview: previewInfoSchema,
      visitors: z.array(previewVisitorSchema),
      linkToken: text.optional(),
    }),
    idempotent: true,
  }),
  visits: defineFunction({
    name: "previews.visits",
    version,
    arguments: z.object({ visits: z.array(previewVisitSchema).max(maxVisitsPerReport) }),
    result: nothing,
  }),
  revokeVisitor: defineFunction({
    name: "previews.revokeVisitor",
    version,
    arguments: z.object({ slug: text, visitor: visitorSchema }),
    result: nothing,
    idempotent: true,
  }),
  watch: defineStream({
    name: "previews.watch",
    version,
    arguments: z.object({ gateway: gatewayInfoSchema }),
    event: previewEventSchema,
  }),
};
