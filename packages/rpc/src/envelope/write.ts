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
  let text = `${responseHead}${JSON.stringify(id)},"result":${stringifyExact(result ?? null)}`;
  if (errors !== undefined) text += `,"errors":${stringifyExact(errors)}`;
  if (extensions !== undefined) text += `,"extensions":${stringifyExact(extensions)}`;
  if (meta !== undefined) text += `,"meta":${stringifyExact(meta)}`;
  return `${text}}`;
}
