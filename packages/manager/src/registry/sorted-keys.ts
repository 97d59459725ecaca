/**
 * Orders as the UTF-8 bytes do, which is etcd's order. UTF-16 code units differ from it only where a
 * surrogate (U+10000 and up) meets U+E000 to U+FFFF.
 */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return byteOrder(a) - byteOrder(b);
  }
  return left.length - right.length;
}

function byteOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** The keys of a store, in order. Adding one moves the later ones: cheap for a hundred thousand. */
export class SortedKeys {
  readonly #keys: string[] = [];

  /** The key must not be there yet. */
  add(key: string): void {
    this.#keys.splice(this.#lowerBound(key), 0, key);
  }

  /** The key must be there. */
  remove(key: string): void {
    this.#keys.splice(this.#lowerBound(key), 1);
  }

  /** Not to be held while keys are added or removed. */
  *below(prefix: string): IterableIterator<string> {
    for (let index = this.#lowerBound(prefix); index < this.#keys.length; index += 1) {
      const key = this.#keys[index] ?? "";
      if (!key.startsWith(prefix)) return;
      yield key;
    }
  }

  #lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] ?? "", key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
