import type { JsonValue } from "@clew/wire";
import { z } from "zod";
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
import { milliseconds, name, routingKeysSchema, value } from "./schemas.ts";

/** Passwords shorter than this are guessed even at the pace that a gateway allows. Source: NIST SP 800-63B §5.1.1.1. */
export const minPasswordLength = 8;
/** Room for a sentence; a hash takes as long for any. */
const maxPasswordLength = 256;

/** Gateways make ids of 16 characters; each that is revoked is told to all gateways with every list (I8). */
export const visitorSchema: z.ZodString = z.string().min(1).max(32);

const replacementSchema: z.ZodType<Replacement> = z.object({
  service: name,
  owner: name,
  kind: z.enum(["tunnel", "address"]),
  reachable: z.boolean(),
});

const accessSchema: z.ZodType<PreviewAccess> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("public") }),
  z.object({ kind: z.literal("link"), tokenHash: name }),
  z.object({ kind: z.literal("password"), salt: name, hash: name }),
]);

export const accessRequestSchema: z.ZodType<PreviewAccessRequest> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("public") }),
  z.object({ kind: z.literal("link"), renew: z.boolean().optional() }),
  z.object({
    kind: z.literal("password"),
    password: z.string().min(minPasswordLength).max(maxPasswordLength),
  }),
]);

export const fieldsSchema: z.ZodType<Record<string, JsonValue>> = z.record(name, z.json());
export const headersSchema: z.ZodType<ReadonlyArray<readonly [name: string, value: string]>> = z.array(
  z.tuple([name, value]),
);

const facts = {
  slug: name,
  route: name,
  owner: name,
  url: z.string().optional(),
  createdAt: milliseconds,
  expiresAt: milliseconds,
  remainingMs: milliseconds,
  banner: z.boolean(),
  ingress: name.optional(),
  fields: fieldsSchema.optional(),
  headers: headersSchema.optional(),
  replaces: z.array(replacementSchema),
};
const accessKind = z.enum(["public", "link", "password"]);

export const previewInfoSchema: z.ZodType<PreviewInfo> = z.object({ ...facts, access: accessKind });

export const previewGrantSchema: z.ZodType<PreviewGrant> = z.object({
  ...facts,
  access: accessKind,
  key: value,
  linkToken: name.optional(),
});

const previewSchema: z.ZodType<Preview> = z.object({ ...facts, access: accessSchema, key: value });

const endedPreviewSchema: z.ZodType<EndedPreview> = z.object({
  slug: name,
  owner: name,
  how: z.enum(["expired", "revoked"]),
  at: milliseconds,
});

export const previewVisitSchema: z.ZodType<PreviewVisit> = z.object({
  slug: name,
  visitor: visitorSchema,
  at: milliseconds,
  path: value,
  userAgent: value.optional(),
});

export const previewVisitorSchema: z.ZodType<PreviewVisitor> = z.object({
  visitor: visitorSchema,
  firstAt: milliseconds,
  lastAt: milliseconds,
  visits: z.int().min(0),
  path: value,
  userAgent: value.optional(),
  revoked: z.boolean(),
});

export const previewEventSchema: z.ZodType<PreviewEvent> = z.object({
  kind: z.literal("snapshot"),
  previews: z.array(previewSchema),
  ended: z.array(endedPreviewSchema).optional(),
  revokedVisitors: z.record(name, z.array(name)).optional(),
  visitorKey: name.optional(),
  keys: routingKeysSchema.optional(),
});
