/** A key as etcd's JSON gateway gives it. Int64 come as strings, what is empty is left out. */
export interface StoredKey {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
}

export interface KeyRange {
  readonly key: string;
  readonly range_end: string;
}

export function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}

export function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString();
}

/**
 * All keys below a prefix that is not empty: up to the same bytes with the last one increased, which
 * UTF-8 allows as it has no byte 0xff.
 */
export function rangeBelow(prefix: string): KeyRange {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return { key: toBase64(prefix), range_end: end.toString("base64") };
}
