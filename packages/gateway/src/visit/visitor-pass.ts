import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Preview } from "@clew/control";

/** A visitor who was let into one preview. */
export interface Visitor {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * What the visitor's cookie holds: `<slug>.<visitor>.<expiry>.<signature>`. The signature is over the preview it was made
 * for, its time of making and its way of access too: it is worth nothing for another preview, one of the same name that
 * was made later, or after the password was changed.
 */
export interface VisitorPasses {
  /** A pass for a new visitor. */
  issue(preview: Preview): { readonly visitor: Visitor; readonly value: string };
  /** Undefined for one that is forged, has expired or is another preview's. */
  check(value: string, preview: Preview): Visitor | undefined;
}

/** How long a visitor stays known, in ms. 7 days: a review often lasts over a weekend. The preview's own end comes first. */
export const visitorLifetimeMs: number = 7 * 24 * 3_600_000;

/** 96 random bits: an id is no secret, but two visitors must never share one. */
const visitorIdBytes = 12;

/** `key`: asked each time, since the manager's word comes after the start. */
export function createVisitorPasses(key: () => Buffer, now: () => number = Date.now): VisitorPasses {
  const sign = (preview: Preview, visitor: string, expiry: string): Buffer => {
    const { slug, createdAt, access } = preview;
    const signed = JSON.stringify(["clew-visit", slug, createdAt, access, visitor, expiry]);
    return createHmac("sha256", key()).update(signed).digest();
  };
  return {
    issue(preview) {
      const id = randomBytes(visitorIdBytes).toString("base64url");
      const expiresAt = Math.min(now() + visitorLifetimeMs, now() + preview.remainingMs);
      const expiry = Math.ceil(expiresAt).toString(36);
      const signature = sign(preview, id, expiry).toString("base64url");
      return { visitor: { id, expiresAt }, value: [preview.slug, id, expiry, signature].join(".") };
    },
    check(value, preview) {
      const [slug, id = "", expiry = "", signature = "", ...more] = value.split(".");
      if (slug !== preview.slug || more.length > 0) return undefined;
      const expected = sign(preview, id, expiry);
      const given = Buffer.from(signature, "base64url");
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const expiresAt = Number.parseInt(expiry, 36);
      return expiresAt > now() ? { id, expiresAt } : undefined;
    },
  };
}

/** Which preview a pass says it is for. Nothing is proven by it. */
export function slugOfPass(value: string): string {
  return value.slice(0, Math.max(0, value.indexOf(".")));
}
