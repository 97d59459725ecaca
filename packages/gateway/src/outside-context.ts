import {
  type Context,
  emptyContext,
  explainField,
  extractContext,
  type JsonValue,
  parseRoutingKey,
  routeField,
} from "@clew/context";
import type { RequestHead } from "@clew/proxy";

/** Characters of a nonce. Clew's own have 32; an agent answers none that is longer. */
const maxNonceLength = 128;

/**
 * What is believed of a context that came from outside (I5): the fields that are accepted, a routing key that is proven
 * or, in open mode, plain, and in open mode the wish for an explanation. All else is as if it had not been sent.
 */
export function acceptOutsideContext(
  head: RequestHead,
  options: { readonly accept: readonly string[]; readonly openMode: boolean },
): Context {
  if (head.header("baggage") === undefined) return emptyContext;
  const outside = extractContext((name) => (name === "baggage" ? head.header(name) : undefined));
  const fields: Array<readonly [string, JsonValue | undefined]> = options.accept.map((name) => [
    name,
    outside.get(name),
  ]);
  const nonce = outside.get(explainField);
  if (options.openMode && typeof nonce === "string" && nonce.length <= maxNonceLength)
    fields.push([explainField, nonce]);
  const key = outside.get(routeField);
  const { status } = parseRoutingKey(key, { open: options.openMode });
  if (status === "open" || status === "valid") fields.push([routeField, key]);
  return emptyContext.with(Object.fromEntries(fields));
}
