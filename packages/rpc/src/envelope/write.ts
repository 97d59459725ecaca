import { type ForrstResponse, type OutgoingRequest, protocolName, protocolVersion } from "./document.ts";
import { stringifyExact } from "./large-integers.ts";

const protocol = { name: protocolName, version: protocolVersion } as const;

/** Members in the specification's order. Throws what `JSON.stringify` throws on values that are not JSON. */
export function writeRequest(request: OutgoingRequest): string {
  const { id, function: name, version, arguments: args, context, extensions } = request;
  return stringifyExact({
    protocol,
    id,
    call: { function: name, version, arguments: args },
    context,
    extensions: extensions.length === 0 ? undefined : extensions,
  });
}

/** A function that returned nothing answers null. Throws what `JSON.stringify` throws on values that are not JSON. */
export function writeResponse(response: ForrstResponse): string {
  const { id, result, errors, extensions } = response;
  return stringifyExact({ protocol, id, result: result ?? null, errors, extensions });
}
