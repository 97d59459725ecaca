import { type Carrier, readCarrierValue } from "./carrier.ts";
import { type CarrierRecord, createRecordCarrier, isNamed } from "./record-carrier.ts";

/**
 * AMQP 0-9-1: the properties of a received message, or the options of one to publish; `headers` is made when a
 * context is written and there is none.
 */
export function amqpCarrier(properties: { headers?: CarrierRecord | undefined }): Carrier {
  return {
    get: (name) => createRecordCarrier(properties.headers ?? {}).get(name),
    set(name, value) {
      properties.headers ??= {};
      createRecordCarrier(properties.headers).set(name, value);
    },
    delete: (name) => createRecordCarrier(properties.headers ?? {}).delete(name),
  };
}

/** Kafka: the headers of a message. */
export function kafkaCarrier(headers: CarrierRecord): Carrier {
  return createRecordCarrier(headers);
}

/** As much of `MsgHdrs` of the NATS clients as is needed; nothing is imported from there. */
export interface NatsHeaders {
  keys(): readonly string[];
  values(key: string): readonly string[];
  set(key: string, value: string): void;
  delete(key: string): void;
}

/** NATS: the headers of a message. They tell cases apart, and clients in some languages write `Traceparent`. */
export function natsCarrier(headers: NatsHeaders): Carrier {
  const keysNamed = (name: string): string[] => headers.keys().filter((key) => isNamed(key, name));
  return {
    get(name) {
      const [key] = keysNamed(name);
      return key === undefined ? undefined : readCarrierValue(headers.values(key));
    },
    set(name, value) {
      this.delete(name);
      headers.set(name, value);
    },
    delete(name) {
      for (const key of keysNamed(name)) headers.delete(key);
    },
  };
}

/**
 * Redis streams: the fields of an entry, as an object or as the flat list of names and values that `XADD` takes and
 * `XRANGE` gives. They stand beside the application's own fields.
 */
export function redisCarrier(fields: unknown[] | CarrierRecord): Carrier {
  if (!Array.isArray(fields)) return createRecordCarrier(fields);
  const indexOf = (name: string): number => {
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const key = readCarrierValue(fields[at]);
      if (typeof key === "string" && isNamed(key, name)) return at;
    }
    return -1;
  };
  return {
    get(name) {
      const at = indexOf(name);
      return at < 0 ? undefined : readCarrierValue(fields[at + 1]);
    },
    set(name, value) {
      this.delete(name);
      fields.push(name, value);
    },
    delete(name) {
      for (let at = indexOf(name); at >= 0; at = indexOf(name)) fields.splice(at, 2);
    },
  };
}
