import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { createRoutingKeySigner, type RoutingKeySigner } from "@clew/context/signing";
import type { RoutingKeyGrant, RoutingKeys } from "@clew/control";
import type { Core } from "./core.ts";
import { ManagerError } from "./manager-error.ts";
import { randomName } from "./random-name.ts";
import { formatRecord, type KeyRecord, recordKey, routingKeyPair } from "./records.ts";

/** The one place that makes routing keys, and says which ones agents and gateways are to believe. */
export interface KeyRing {
  /** What they are told: public keys alone. The same object as long as nothing changed. */
  readonly told: RoutingKeys;
  /** The value of `clew-route` that selects the route. @param untilMs milliseconds since 1970, rounded up to a second. */
  issue(route: string, untilMs: number): RoutingKeyGrant;
}

export interface KeyRingOptions {
  readonly environment: string;
  readonly routingKeys: RoutingKeys["mode"];
}

type KeyRingCore = Pick<Core, "registry" | "directory" | "clock" | "log">;

/**
 * In signed mode the first manager over a registry makes the key pair, all others read it there. Rejects with
 * `E_MANAGER_KEYS` when it cannot be read, and with what the registry throws.
 */
export async function startKeyRing(
  core: KeyRingCore,
  { environment, routingKeys }: KeyRingOptions,
): Promise<KeyRing> {
  if (routingKeys === "open") {
    const told: RoutingKeys = { mode: "open", environment, publicKeys: {} };
    return { told, issue: (route) => ({ key: route }) };
  }
  return startSignedKeys(core, environment);
}

async function startSignedKeys(core: KeyRingCore, environment: string): Promise<KeyRing> {
  const { directory, log } = core;
  await ensureKeyPair(core);
  let pair = readKeyPair(directory.view.keyPair, environment);
  // Another manager made a new pair, because the registry had lost this one: from now on that one signs.
  directory.onChange(({ keys }) => {
    if (!keys) return;
    try {
      pair = readKeyPair(directory.view.keyPair, environment);
      log.warn({ event: "manager.key_pair", keyId: pair.keyId }, "Another key pair signs from now on.");
    } catch (err) {
      log.error({ event: "manager.key_pair_unusable", err }, "The key pair that was used so far goes on.");
    }
  });
  return {
    get told() {
      return pair.told;
    },
    issue(route, untilMs) {
      const expiresAt = Math.ceil(untilMs / 1_000) * 1_000;
      return { key: pair.signer.sign(route, expiresAt), expiresAt };
    },
  };
}

async function ensureKeyPair({ registry, directory, clock, log }: KeyRingCore): Promise<void> {
  if (directory.view.keyPair) return;
  const { privateKey } = generateKeyPairSync("ed25519");
  const record: KeyRecord = {
    keyId: randomName(8),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    createdAt: clock.now(),
  };
  const key = recordKey("keys", routingKeyPair);
  const made = await registry.put(key, formatRecord("keys", record), { ifRevision: 0 });
  if (made.ok) {
    log.info(
      { event: "manager.key_pair_made", keyId: record.keyId },
      "A key pair for routing keys was made.",
    );
  }
  // Another manager was quicker: its pair is everybody's.
  const revision = made.ok ? made.revision : (await registry.get(key))?.revision;
  if (revision !== undefined) await directory.reached(revision);
}

interface KeyPair {
  readonly keyId: string;
  readonly signer: RoutingKeySigner;
  readonly told: RoutingKeys;
}

/** Throws `E_MANAGER_KEYS`, whose text tells nothing of the private key. */
function readKeyPair(record: KeyRecord | undefined, environment: string): KeyPair {
  if (!record) throw unusable(undefined);
  const { keyId, privateKey } = record;
  try {
    const signer = createRoutingKeySigner({ environment, keyId, privateKey });
    const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
    return { keyId, signer, told: { mode: "signed", environment, publicKeys: { [keyId]: publicKey } } };
  } catch (cause) {
    throw unusable(cause);
  }
}

function unusable(cause: unknown): ManagerError {
  const key = recordKey("keys", routingKeyPair);
  return new ManagerError(
    "E_MANAGER_KEYS",
    `The registry's key pair for routing keys (${key}) is unusable.`,
    {
      hint: "Delete that record and start the manager anew: it makes another pair, and people get new keys.",
      cause,
    },
  );
}
