import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { ContextError } from "../errors.ts";
import { isRouteName, type RoutingKeyVerifier } from "../routing-key.ts";
import { checkKeyId, parseBase64Url, parseExpiry } from "./key-id.ts";
import { lengthPrefixed } from "./length-prefixed.ts";
import { createVerifiedCache } from "./verified-cache.ts";

/**
 * A signed routing key is `<route>.<expiry>.<key id>.<signature>`: expiry in seconds since 1970, signature in
 * base64url, Ed25519 (RFC 8032) over the length-prefixed texts `clew-route-1`, environment, route, expiry, key id.
 *
 * It is made and verified by `node:crypto`, not by WebCrypto: a proxy must know the route before it reads on, and
 * WebCrypto only answers later. That is why this is an entry of its own, which browsers do not load.
 */
const purpose = "clew-route-1";

export interface RoutingKeySignerOptions {
  /** Name of the system that the keys are for; they are worth nothing in another. */
  readonly environment: string;
  readonly keyId: string;
  /** An Ed25519 key, as an object or in PEM. */
  readonly privateKey: KeyObject | string;
}

export interface RoutingKeySigner {
  /**
   * @param expiresAtMs milliseconds since 1970, rounded down to a second.
   * Throws `ContextError`: `E_ROUTE_NAME` for what is no route name, `E_SIGNING_EXPIRY` for what is no time to come.
   */
  sign(route: string, expiresAtMs: number): string;
}

/** For managers. Throws `ContextError` `E_SIGNING_KEY` where key or key id cannot be used. */
export function createRoutingKeySigner(options: RoutingKeySignerOptions): RoutingKeySigner {
  const { environment, keyId, privateKey } = options;
  checkKeyId(keyId);
  const key = readKey(keyId, () =>
    typeof privateKey === "string" ? createPrivateKey(privateKey) : privateKey,
  );
  if (key.type !== "private") throw wrongKey(keyId, "is not a private key");
  return {
    sign(route, expiresAtMs) {
      if (!isRouteName(route)) {
        throw new ContextError("E_ROUTE_NAME", `"${route}" is no route name.`, {
          hint: "Use small letters, digits and inner hyphens, at most 63.",
        });
      }
      const expiry = String(Math.floor(expiresAtMs / 1000));
      if (parseExpiry(expiry) === undefined) {
        throw new ContextError("E_SIGNING_EXPIRY", `A routing key cannot expire at ${expiresAtMs} ms.`, {
          hint: "Give milliseconds since 1970.",
        });
      }
      const signature = sign(undefined, signedBytes(environment, route, expiry, keyId), key);
      return `${route}.${expiry}.${keyId}.${signature.toString("base64url")}`;
    },
  };
}

export interface RoutingKeyVerifierOptions {
  readonly environment: string;
  /** Key id → Ed25519 public key, as an object or in PEM. */
  readonly publicKeys: Readonly<Record<string, KeyObject | string>>;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /**
   * Keys whose signature is remembered. Default 1,000: more routes than a system has at once, in about 300 kB. A
   * remembered key costs a look-up, another one about 0.13 ms.
   */
  readonly maxRemembered?: number | undefined;
}

/**
 * For agents and gateways: `parseRoutingKey(value, { open, verify })`. They need public keys alone, so they can mint
 * none. A key is `expired` only if its signature is valid. Throws `ContextError` `E_SIGNING_KEY` where a key or key id
 * cannot be used, or a key is a private one.
 */
export function createRoutingKeyVerifier(options: RoutingKeyVerifierOptions): RoutingKeyVerifier {
  const { environment, now = Date.now, maxRemembered = 1_000 } = options;
  const keys = new Map(
    Object.entries(options.publicKeys).map(([keyId, key]) => [keyId, readPublicKey(keyId, key)]),
  );
  const cache = createVerifiedCache(maxRemembered);
  return (text) => {
    const parts = text.length > maxKeyLength ? [] : text.split(".");
    const [route = "", expiryText = "", keyId = "", signatureText = ""] = parts;
    const key = keys.get(keyId);
    const expiry = parseExpiry(expiryText);
    if (parts.length !== 4 || key === undefined || expiry === undefined || !isRouteName(route)) {
      return { status: "invalid" };
    }
    const isGenuine = cache.ask(text, () => {
      const signature = parseBase64Url(signatureText);
      const signed = signedBytes(environment, route, expiryText, keyId);
      return signature !== undefined && verify(undefined, signed, key, signature);
    });
    if (!isGenuine) return { status: "invalid" };
    return { status: now() < expiry * 1000 ? "valid" : "expired", route };
  };
}

/** Longest that the four parts can be; anything longer is none, and not looked at. */
const maxKeyLength = 63 + 1 + 12 + 1 + 32 + 1 + 86;

function signedBytes(...parts: readonly string[]): Buffer {
  return Buffer.from(lengthPrefixed([purpose, ...parts]));
}

function readPublicKey(keyId: string, source: KeyObject | string): KeyObject {
  checkKeyId(keyId);
  // A public key can be made of a private one: then the wrong file was handed out, and this side could mint.
  if (typeof source === "string" && source.includes("PRIVATE")) throw wrongKey(keyId, "is a private key");
  const key = readKey(keyId, () => (typeof source === "string" ? createPublicKey(source) : source));
  if (key.type !== "public") throw wrongKey(keyId, "is not a public key");
  return key;
}

function readKey(keyId: string, read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw wrongKey(keyId, "cannot be read", cause);
  }
  if (key.asymmetricKeyType !== "ed25519") throw wrongKey(keyId, "is not an Ed25519 key");
  return key;
}

function wrongKey(keyId: string, what: string, cause?: unknown): ContextError {
  return new ContextError("E_SIGNING_KEY", `The key "${keyId}" ${what}.`, {
    hint: "Signing takes an Ed25519 private key, verifying its public key; as PEM or KeyObject.",
    cause,
  });
}
