import { type Carrier, readCarrierValue } from "./carrier.ts";
import { type CarrierRecord, createRecordCarrier } from "./record-carrier.ts";

/** As in every browser and runtime: `Headers` of fetch. */
export interface FetchHeaders {
  get(name: string): string | null;
  set(name: string, value: string): void;
  delete(name: string): void;
}

/** HTTP headers: the `Headers` of fetch, or an object such as `request.headers` of Node. */
export function httpCarrier(headers: FetchHeaders | CarrierRecord): Carrier {
  if (!isFetchHeaders(headers)) return createRecordCarrier(headers);
  return {
    get: (name) => headers.get(name) ?? undefined,
    set: (name, value) => headers.set(name, value),
    delete: (name) => headers.delete(name),
  };
}

function isFetchHeaders(headers: FetchHeaders | CarrierRecord): headers is FetchHeaders {
  return typeof headers.get === "function" && typeof headers.delete === "function";
}

/** As much of `Metadata` of @grpc/grpc-js as is needed; nothing is imported from there. */
export interface GrpcMetadata {
  get(key: string): readonly (string | Uint8Array)[];
  set(key: string, value: string): void;
  remove(key: string): void;
}

/** Metadata of a gRPC call. */
export function grpcCarrier(metadata: GrpcMetadata): Carrier {
  return {
    get: (name) => readCarrierValue(metadata.get(name)),
    // gRPC knows no tab; wherever HTTP allows one in these headers, a space means the same.
    set: (name, value) => metadata.set(name, value.replaceAll("\t", " ")),
    delete: (name) => metadata.remove(name),
  };
}
