/** Whatever a context travels in: headers of a request, metadata of a call, fields of a message. */
export interface Carrier {
  /** All values under a name, which is given in lower case; undefined where there is none. */
  get(name: string): string | readonly string[] | undefined;
  /** Puts one value in the place of all that stand under a name. */
  set(name: string, value: string): void;
  /** Takes out all values under a name. */
  delete(name: string): void;
}

/**
 * Bytes of one value, and values under one name, that are taken out of a carrier. Brokers take values of any size;
 * no limit of ours reads further, so what lies behind is not even decoded.
 */
export const carrierLimits: { readonly maxValueBytes: number; readonly maxValues: number } = {
  maxValueBytes: 65_536,
  maxValues: 64,
};

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** A value as a client library hands it out: text, bytes or several of them. Anything else is no text: undefined. */
export function readCarrierValue(value: unknown): string | readonly string[] | undefined {
  if (typeof value === "string") return value.slice(0, carrierLimits.maxValueBytes);
  if (value instanceof Uint8Array) return utf8.decode(value.subarray(0, carrierLimits.maxValueBytes));
  if (!Array.isArray(value)) return undefined;
  const texts = value
    .slice(0, carrierLimits.maxValues)
    .map(readCarrierValue)
    .filter((text) => typeof text === "string");
  return texts.length === 0 ? undefined : texts;
}
