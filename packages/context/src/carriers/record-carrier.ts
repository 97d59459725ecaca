import { type Carrier, readCarrierValue } from "./carrier.ts";

/** Names and values as a plain object; names count in any case, and are written in lower case. */
export type CarrierRecord = Record<string, unknown>;

export function createRecordCarrier(record: CarrierRecord): Carrier {
  return {
    get(name) {
      const key = Object.hasOwn(record, name) ? name : keysNamed(record, name)[0];
      return key === undefined ? undefined : readCarrierValue(record[key]);
    },
    set(name, value) {
      this.delete(name);
      record[name] = value;
    },
    delete(name) {
      for (const key of keysNamed(record, name)) delete record[key];
    },
  };
}

function keysNamed(record: CarrierRecord, name: string): string[] {
  return Object.keys(record).filter((key) => isNamed(key, name));
}

/** Whether a key is the name in any case; the name is in lower case. */
export function isNamed(key: string, name: string): boolean {
  return key.length === name.length && key.toLowerCase() === name;
}
