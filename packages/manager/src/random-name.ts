import { randomBytes } from "node:crypto";

/** RFC 4648 §6, lower case: fits a DNS label and can be read aloud. */
const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** 5 random bits a letter. 16 letters are 80 bits, which nobody guesses at a gateway's pace. */
export function randomName(letters = 16): string {
  // 256 is a multiple of 32, so the low 5 bits of a byte are uniform.
  return Array.from(randomBytes(letters), (byte) => alphabet[byte & 31]).join("");
}
