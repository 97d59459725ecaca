import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto";
import {
  baggageLimits,
  decodeBaggageText,
  decodeFieldName,
  encodeFieldName,
  encodeFieldValue,
  findBaggageValue,
} from "@clew/wire";
import { type Context, fieldKey, withEncodedFields } from "../context.ts";
import { ContextError } from "../errors.ts";
import { type FaultHook, publishFault } from "../faults.ts";
import { signatureField } from "../field-names.ts";
import { checkKeyId, parseBase64Url, parseExpiry } from "./key-id.ts";
import { lengthPrefixed } from "./length-prefixed.ts";
import { createVerifiedCache } from "./verified-cache.ts";

/**
 * The signature over fields is a field of its own, since foreign hops write values anew and drop properties:
 * `clew-sig` is `1.<key id>.<expiry>.<t or n>.<signature>.<names>`. Names are baggage keys with `:` between them;
 * `t` says that it holds for the context's trace alone. The signature is HMAC-SHA-256 in base64url over the
 * length-prefixed texts `clew-sig-1`, key id, expiry, trace id or nothing, and each name and value in their order;
 * names as they are, values percent-decoded, with their `json:` or `str:`.
 *
 * By `node:crypto`, not by WebCrypto: fields are read without waiting, and WebCrypto only answers later.
 */
const purpose = "clew-sig-1";

/** Bytes of a secret; RFC 2104 §3 discourages less than the hash has. */
const minSecretBytes = 32;

export interface FieldSignerOptions {
  readonly keyId: string;
  /** At least 32 bytes; a text counts as its UTF-8. */
  readonly secret: Uint8Array | string;
  /** Names of the fields to sign; those that a context lacks are passed over. */
  readonly fields: readonly string[];
  /** Milliseconds that a signature holds. Default 5 minutes: longer than a request with its messages takes. */
  readonly lifetimeMs?: number | undefined;
  /** Whether it holds for the context's trace alone, so that nobody replays it in another. Default false. */
  readonly bindTrace?: boolean | undefined;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

export interface FieldSigner {
  /** The context with `clew-sig`, in the place of any; without one where it has none of the fields, or no trace to bind to. */
  sign(context: Context): Context;
}

/** For the service that knows these fields best, such as the one that signs users in. Throws as {@link readSecret}. */
export function createFieldSigner(options: FieldSignerOptions): FieldSigner {
  const { keyId, lifetimeMs = 300_000, bindTrace = false, now = Date.now } = options;
  const secret = readSecret(keyId, options.secret);
  const keys = options.fields.map(fieldKey);
  return {
    sign(context) {
      const present = keys.filter((key) => findBaggageValue(context.baggage, key) !== undefined);
      const traceId = bindTrace ? traceIdOf(context) : "";
      if (present.length === 0 || traceId === undefined) return withSignature(context, undefined);
      const expiry = String(Math.floor((now() + lifetimeMs) / 1000));
      const signature = digest(secret, signedText(context, { keyId, expiry, traceId, keys: present }));
      const parts = ["1", keyId, expiry, bindTrace ? "t" : "n", signature.toString("base64url")];
      return withSignature(context, `${parts.join(".")}.${present.join(":")}`);
    },
  };
}

export interface FieldVerifierOptions {
  /** Key id → secret. */
  readonly secrets: Readonly<Record<string, Uint8Array | string>>;
  /** Names of the fields that count only when they are signed. */
  readonly fields: readonly string[];
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Signatures that are remembered. Default 1,000, in at most 4 MB. A remembered one costs a look-up. */
  readonly maxRemembered?: number | undefined;
  /** Default: publishes on the diagnostics channels of {@link contextChannels}. */
  readonly onFault?: FaultHook | undefined;
}

export interface FieldVerifier {
  /**
   * The context without those of the fields that no valid signature covers; what is dropped is reported as `unsigned`.
   * Itself where there is nothing to drop. Never throws.
   */
  verify(context: Context): Context;
}

/** Throws as {@link readSecret}. */
export function createFieldVerifier(options: FieldVerifierOptions): FieldVerifier {
  const { now = Date.now, maxRemembered = 1_000, onFault = publishFault } = options;
  const secrets = new Map(
    Object.entries(options.secrets).map(([keyId, secret]) => [keyId, readSecret(keyId, secret)]),
  );
  const keys = options.fields.map(fieldKey);
  const cache = createVerifiedCache(maxRemembered);

  const coveredKeys = (context: Context): readonly string[] => {
    const signature = parseSignature(context);
    const secret = secrets.get(signature?.keyId ?? "");
    if (signature === undefined || secret === undefined || now() >= Number(signature.expiry) * 1000)
      return [];
    const text = signedText(context, signature);
    const isGenuine = cache.ask(`${signature.text}\n${text}`, () => {
      const given = parseBase64Url(signature.text);
      const expected = digest(secret, text);
      return given?.length === expected.length && timingSafeEqual(given, expected);
    });
    return isGenuine ? signature.keys : [];
  };
  return {
    verify(context) {
      const present = keys.filter((key) => findBaggageValue(context.baggage, key) !== undefined);
      if (present.length === 0) return context;
      const covered = coveredKeys(context);
      const dropped = present.filter((key) => !covered.includes(key));
      if (dropped.length === 0) return context;
      onFault("unsigned", dropped.length, dropped.join(", "));
      // A signature that covers nothing is of no use to anybody behind us.
      const gone = covered.length === 0 ? [...dropped, signatureField] : dropped;
      return withEncodedFields(context, new Map(gone.map((key) => [key, undefined])));
    },
  };
}

interface Signed {
  readonly keyId: string;
  readonly expiry: string;
  /** Empty where the signature is not bound to a trace. */
  readonly traceId: string;
  readonly keys: readonly string[];
}

/** The parts of `clew-sig`, if they are well-formed and, where it is bound to a trace, there is one. */
function parseSignature(context: Context): (Signed & { readonly text: string }) | undefined {
  const value = context.get(signatureField);
  const match = typeof value === "string" ? /^1\.([^.]+)\.([^.]+)\.([tn])\.([^.]+)\.(.+)$/.exec(value) : null;
  if (match === null) return undefined;
  const [, keyId = "", expiry = "", binding = "", text = "", names = ""] = match;
  const traceId = binding === "t" ? traceIdOf(context) : "";
  const keys = names.split(":", baggageLimits.maxMembers + 1);
  // Each name is looked for in the whole header, so more names than a header has members would be work for nothing.
  const isTooMany = keys.length > baggageLimits.maxMembers;
  if (isTooMany || traceId === undefined || parseExpiry(expiry) === undefined) return undefined;
  return { keyId, expiry, traceId, text, keys };
}

/** A field that is gone counts as empty: then some other text was signed, and the signature fails. */
function signedText(context: Context, { keyId, expiry, traceId, keys }: Signed): string {
  const fields = keys.flatMap((key) => [
    decodeFieldName(key),
    decodeBaggageText(findBaggageValue(context.baggage, key) ?? ""),
  ]);
  return lengthPrefixed([purpose, keyId, expiry, traceId, ...fields]);
}

function digest(secret: KeyObject, text: string): Buffer {
  return createHmac("sha256", secret).update(text).digest();
}

function traceIdOf(context: Context): string | undefined {
  return context.traceparent?.slice(3, 35);
}

function withSignature(context: Context, value: string | undefined): Context {
  const encoded = value === undefined ? undefined : encodeFieldValue(value);
  return withEncodedFields(context, new Map([[encodeFieldName(signatureField), encoded]]));
}

/** Throws `ContextError` `E_SIGNING_KEY` for a key id that cannot stand in a signature, or a secret that is too short. */
function readSecret(keyId: string, secret: Uint8Array | string): KeyObject {
  checkKeyId(keyId);
  const bytes = Buffer.from(secret);
  if (bytes.length >= minSecretBytes) return createSecretKey(bytes);
  throw new ContextError("E_SIGNING_KEY", `The secret "${keyId}" is ${bytes.length} bytes long.`, {
    hint: `Use at least ${minSecretBytes} random bytes: openssl rand -hex 32`,
  });
}
