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

/** All that stands before the id, the same in every answer. */
const responseHead = `{"protocol":${JSON.stringify(protocol)},"id":`;

/** A function that returned nothing answers null. Throws what `JSON.stringify` throws on values that are not JSON. */
export function writeResponse({ id, result, errors, extensions, meta }: ForrstResponse): string {
  const members = { result: result ?? null, errors, extensions, meta };
  let text = stringifyExact(members);
  // What has no JSON, such as a function, is left out by it.
  if (!text.startsWith('{"result":')) text = stringifyExact({ ...members, result: null });
  return `${responseHead}${quote(id)},${text.slice(1)}`;
}

function quote(id: string | null): string {
  return id !== null && /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(id) ? `"${id}"` : JSON.stringify(id);
}
