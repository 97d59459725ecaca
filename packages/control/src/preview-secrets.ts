import { createHash, scrypt } from "node:crypto";

/** RFC 7914 §2's parameters for interactive logins: about 16 MiB and some tens of milliseconds for each guess. */
const scryptCost = { N: 16_384, r: 8, p: 1 } as const;
/** As long as the hash inside scrypt: more would add nothing. */
const hashBytes = 32;

/** Random bytes of a salt: two passwords that are equal do not look so. */
export const saltBytes = 16;

/** What is kept of a preview's password, in base64url. Worked out off the event loop. Source: RFC 7914. */
export function hashPassword(password: string, salt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // One text may be typed as several sequences of code points: RFC 8265 §4.2.2 has them made equal.
    scrypt(
      password.normalize("NFC"),
      Buffer.from(salt, "base64url"),
      hashBytes,
      scryptCost,
      (error, hash) => {
        if (error) reject(error);
        else resolve(hash.toString("base64url"));
      },
    );
  });
}

/** What is kept of a link's token: SHA-256 in base64url. Enough for 256 random bits, which nobody guesses from it. */
export function hashLinkToken(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
