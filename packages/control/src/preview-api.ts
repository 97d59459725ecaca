import { defineFunction, defineStream, type FunctionContract, type StreamContract } from "@clew/rpc/client";
import type { JsonValue } from "@clew/wire";
import * as v from "valibot";
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
import { gatewayInfoSchema, name as text } from "./schemas.ts";
import { object, wholeNumber } from "./shapes.ts";
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
const durationMs = v.pipe(wholeNumber, v.minValue(1));
const nothing: v.GenericSchema<Nothing> = object({});
const slug = object({ slug: text });

export const previews: PreviewFunctions = {
  create: defineFunction({
    name: "previews.create",
    version,
    arguments: object({
      route: text,
      owner: text,
      name: v.optional(text),
      expiresInMs: v.optional(durationMs),
      access: v.optional(accessRequestSchema),
      ingress: v.optional(text),
      headers: v.optional(headersSchema),
      fields: v.optional(fieldsSchema),
      banner: v.optional(v.boolean()),
    }),
    result: object({ preview: previewGrantSchema }),
  }),
  extend: defineFunction({
    name: "previews.extend",
    version,
    arguments: object({ slug: text, expiresInMs: durationMs }),
    result: object({ preview: previewInfoSchema }),
    idempotent: true,
  }),
  revoke: defineFunction({ name: "previews.revoke", version, arguments: slug, result: nothing }),
  list: defineFunction({
    name: "previews.list",
    version,
    arguments: object({ route: v.optional(text) }),
    result: object({ previews: v.array(previewInfoSchema) }),
    idempotent: true,
  }),
  show: defineFunction({
    name: "previews.show",
    version,
    arguments: object({ slug: text, withLink: v.optional(v.boolean()) }),
    result: object({
      preview: previewInfoSchema,
      visitors: v.array(previewVisitorSchema),
      linkToken: v.optional(text),
    }),
    idempotent: true,
  }),
  visits: defineFunction({
    name: "previews.visits",
    version,
    arguments: object({ visits: v.pipe(v.array(previewVisitSchema), v.maxLength(maxVisitsPerReport)) }),
    result: nothing,
  }),
  revokeVisitor: defineFunction({
    name: "previews.revokeVisitor",
    version,
    arguments: object({ slug: text, visitor: visitorSchema }),
    result: nothing,
    idempotent: true,
  }),
  watch: defineStream({
    name: "previews.watch",
    version,
    arguments: object({ gateway: gatewayInfoSchema }),
    event: previewEventSchema,
  }),
};
