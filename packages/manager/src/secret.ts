import { createHash, timingSafeEqual } from "node:crypto";

/** SHA-256 as hex. Enough for a random token of 256 bits, which nobody can guess from its hash. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Takes as long for a secret that is nearly right as for one that is not; hashing first makes the lengths equal. */
export function isSecret(presented: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(presented)), Buffer.from(hash));
}
