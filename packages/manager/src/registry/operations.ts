import { type Compare, maxTransactionOperations } from "./registry.ts";
import { RegistryError } from "./registry-error.ts";

export interface Put {
  readonly key: string;
  readonly value: string;
  readonly lease?: string | undefined;
}

/** A transaction with nothing left out. */
export interface Operations {
  readonly compare: readonly Compare[];
  readonly puts: readonly Put[];
  readonly deletes: readonly string[];
}

/** Far above what the manager writes (`overrides/<service>/<id>`), far below what a store minds. */
const maxKeyBytes = 1024;
/** The largest thing stored is a table of rules, some KiB; 64 of these in base64 stay within a few MiB. */
const maxValueBytes = 65_536;
/** Beyond this a lease is no lease: 366 days. */
const maxLeaseMs = 366 * 24 * 3600 * 1000;

/**
 * Refuses what one store would take and another not, so that all behave alike: a key twice in one
 * transaction, half a surrogate pair, what is too large.
 * Throws E_REGISTRY_ARGUMENT, E_REGISTRY_LIMIT.
 */
export function checkOperations(operations: Operations): void {
  const { compare, puts, deletes } = operations;
  const count = compare.length + puts.length + deletes.length;
  if (count > maxTransactionOperations) {
    throw tooMuch(`A transaction has ${count} operations; ${maxTransactionOperations} is the most.`);
  }
  for (const { key, revision } of compare) {
    checkKey(key);
    if (!Number.isSafeInteger(revision) || revision < 0) {
      throw wrong(`The revision ${revision} that ${key} is compared with is not a whole number from 0.`);
    }
  }
  const written = new Set<string>();
  for (const key of [...puts.map((put) => put.key), ...deletes]) {
    checkKey(key);
    if (written.has(key)) throw wrong(`The key ${key} is written twice in one transaction.`);
    written.add(key);
  }
  for (const put of puts) {
    if (/\p{Surrogate}/u.test(put.value)) throw wrong(`The value of ${put.key} has half a surrogate pair.`);
    const bytes = Buffer.byteLength(put.value);
    if (bytes > maxValueBytes) {
      throw tooMuch(`The value of ${put.key} has ${bytes} bytes; ${maxValueBytes} is the most.`);
    }
  }
}

/** Throws E_REGISTRY_ARGUMENT unless it is a time that a lease can last. */
export function checkTtl(ttlMs: number): void {
  if (!(ttlMs > 0 && ttlMs <= maxLeaseMs)) {
    throw wrong(`A lease cannot last ${ttlMs} ms; it is more than 0 and at most ${maxLeaseMs}.`);
  }
}

function checkKey(key: string): void {
  if (key === "" || Buffer.byteLength(key) > maxKeyBytes) {
    throw wrong(`The key "${key.slice(0, 80)}" does not have 1 to ${maxKeyBytes} bytes.`);
  }
  if (/\p{Surrogate}/u.test(key)) throw wrong(`The key "${key}" has half a surrogate pair.`);
}

function wrong(message: string): RegistryError {
  return new RegistryError("E_REGISTRY_ARGUMENT", message);
}

function tooMuch(message: string): RegistryError {
  return new RegistryError("E_REGISTRY_LIMIT", message);
}
