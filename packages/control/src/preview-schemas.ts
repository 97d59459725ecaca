import type { JsonValue } from "@clew/wire";
import * as v from "valibot";
import type {
  EndedPreview,
  Preview,
  PreviewAccess,
  PreviewAccessRequest,
  PreviewEvent,
  PreviewGrant,
  PreviewInfo,
  PreviewVisit,
  PreviewVisitor,
  Replacement,
} from "./preview-types.ts";
import { count, milliseconds, name, routingKeysSchema, value } from "./schemas.ts";
import { json, object, record, variant } from "./shapes.ts";

/** Passwords shorter than this are guessed even at the pace that a gateway allows. Source: NIST SP 800-63B §5.1.1.1. */
export const minPasswordLength = 8;
/** Room for a sentence; a hash takes as long for any. */
const maxPasswordLength = 256;

/** Gateways make ids of 16 characters; each that is revoked is told to all gateways with every list (I8). */
export const visitorSchema: v.GenericSchema<string> = v.pipe(v.string(), v.minLength(1), v.maxLength(32));

const replacementSchema: v.GenericSchema<Replacement> = object({
  service: name,
  owner: name,
  kind: v.picklist(["tunnel", "address"]),
  reachable: v.boolean(),
});

const accessSchema: v.GenericSchema<PreviewAccess> = variant("kind", [
  object({ kind: v.literal("public") }),
  object({ kind: v.literal("link"), tokenHash: name }),
  object({ kind: v.literal("password"), salt: name, hash: name }),
]);

export const accessRequestSchema: v.GenericSchema<PreviewAccessRequest> = variant("kind", [
  object({ kind: v.literal("public") }),
  object({ kind: v.literal("link"), renew: v.optional(v.boolean()) }),
  object({
    kind: v.literal("password"),
    password: v.pipe(v.string(), v.minLength(minPasswordLength), v.maxLength(maxPasswordLength)),
  }),
]);

export const fieldsSchema: v.GenericSchema<Record<string, JsonValue>> = record(name, json);
export const headersSchema: v.GenericSchema<ReadonlyArray<readonly [name: string, value: string]>> = v.array(
  v.strictTuple([name, value]),
);

const facts = {
  slug: name,
  route: name,
  owner: name,
  url: v.optional(v.string()),
  createdAt: milliseconds,
  expiresAt: milliseconds,
  remainingMs: milliseconds,
  banner: v.boolean(),
  ingress: v.optional(name),
  fields: v.optional(fieldsSchema),
  headers: v.optional(headersSchema),
  replaces: v.array(replacementSchema),
};
const accessKind = v.picklist(["public", "link", "password"]);

export const previewInfoSchema: v.GenericSchema<PreviewInfo> = object({ ...facts, access: accessKind });

export const previewGrantSchema: v.GenericSchema<PreviewGrant> = object({
  ...facts,
  access: accessKind,
  key: value,
  linkToken: v.optional(name),
});

const previewSchema: v.GenericSchema<Preview> = object({ ...facts, access: accessSchema, key: value });

const endedPreviewSchema: v.GenericSchema<EndedPreview> = object({
  slug: name,
  owner: name,
  how: v.picklist(["expired", "revoked"]),
  at: milliseconds,
});

export const previewVisitSchema: v.GenericSchema<PreviewVisit> = object({
  slug: name,
  visitor: visitorSchema,
  at: milliseconds,
  path: value,
  userAgent: v.optional(value),
});

export const previewVisitorSchema: v.GenericSchema<PreviewVisitor> = object({
  visitor: visitorSchema,
  firstAt: milliseconds,
  lastAt: milliseconds,
  visits: count,
  path: value,
  userAgent: v.optional(value),
  revoked: v.boolean(),
});

export const previewEventSchema: v.GenericSchema<PreviewEvent> = object({
  kind: v.literal("snapshot"),
  previews: v.array(previewSchema),
  ended: v.optional(v.array(endedPreviewSchema)),
  revokedVisitors: v.optional(record(name, v.array(name))),
  visitorKey: v.optional(name),
  keys: v.optional(routingKeysSchema),
});
