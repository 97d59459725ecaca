import { ContextError } from "../errors.ts";

/** Says under which key something is signed, so that keys can be replaced one by one. */
const keyIdPattern = /^[A-Za-z0-9_-]{1,32}$/;

/** Throws `ContextError` `E_SIGNING_KEY` for an id that cannot stand in a signature. */
export function checkKeyId(id: string): void {
  if (keyIdPattern.test(id)) return;
  throw new ContextError("E_SIGNING_KEY", `"${id}" is no key id.`, {
    hint: "Use 1 to 32 letters, digits, hyphens and underscores.",
  });
}

/** The bytes of a base64url text, or undefined where it is not how exactly these bytes are written. */
export function parseBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** Seconds since 1970, as they are signed: decimal, no sign, no leading zero; else undefined. */
export function parseExpiry(text: string): number | undefined {
  return /^[1-9][0-9]{0,11}$/.test(text) ? Number(text) : undefined;
}
