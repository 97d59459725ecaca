import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { CallOptions, ForrstClient, StreamOptions } from "./create-client.ts";

/** Types by `<function>@<version>`, as `clew rpc types` writes them. */
export type FunctionTypes = object;

type ArgumentsOf<T> = T extends { readonly arguments: infer Args } ? Args : never;
type ResultOf<T> = T extends { readonly result: infer Result } ? Result : never;
type EventOf<T> = T extends { readonly event: infer Event } ? Event : never;

/** A client whose types come from a description instead of contracts, so that the two sides share no code. */
export interface Caller<Functions extends FunctionTypes, Streams extends FunctionTypes> {
  /** As `ForrstClient.call`. What comes back is not validated: the description is believed. */
  call<Name extends keyof Functions & string>(
    name: Name,
    args: ArgumentsOf<Functions[Name]>,
    options?: CallOptions,
  ): Promise<ResultOf<Functions[Name]>>;
  /** As `ForrstClient.stream`. */
  stream<Name extends keyof Streams & string>(
    name: Name,
    args: ArgumentsOf<Streams[Name]>,
    options?: StreamOptions,
  ): AsyncIterable<EventOf<Streams[Name]>>;
}

const anything: StandardSchemaV1<unknown, never> = {
  "~standard": { version: 1, vendor: "clew", validate: (value) => ({ value: value as never }) },
};

export function createCaller<Functions extends FunctionTypes, Streams extends FunctionTypes = object>(
  client: ForrstClient,
): Caller<Functions, Streams> {
  return {
    call: (key, args, options) =>
      client.call<unknown, never>({ ...split(key), arguments: anything, result: anything }, args, options),
    stream: (key, args, options) =>
      client.stream<unknown, never>({ ...split(key), arguments: anything, event: anything }, args, options),
  };
}

/** A name holds no `@`, nor does a version. */
function split(key: string): { readonly name: string; readonly version: string } {
  const at = key.lastIndexOf("@");
  return { name: key.slice(0, at), version: key.slice(at + 1) };
}
