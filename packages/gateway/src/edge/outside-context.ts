import {
  type Context,
  emptyContext,
  explainField,
  extractContext,
  type JsonValue,
  parseRoutingKey,
  type RoutingKeyMode,
  routeField,
} from "@clew/context";
import type { RequestHead } from "@clew/proxy";

/** Characters of a nonce. Clew's own have 32; an agent answers none that is longer. */
const maxNonceLength = 128;

/**
 * What is believed of a context that came from outside (I5): the fields that are accepted, a routing key that is proven
 * or, in open mode, plain, and the wish for an explanation in open mode or with a proven key. All else, such as a key
 * that is forged or has expired, is as if it had not been sent.
 */
export function acceptOutsideContext(
  head: RequestHead,
  { accept, keys }: { readonly accept: readonly string[]; readonly keys: RoutingKeyMode },
): Context {
  if (head.header("baggage") === undefined) return emptyContext;
  const outside = extractContext((name) => (name === "baggage" ? head.header(name) : undefined));
  const fields: Array<readonly [string, JsonValue | undefined]> = accept.map((name) => [
    name,
    outside.get(name),
  ]);
  const key = outside.get(routeField);
  const { status } = parseRoutingKey(key, keys);
  const nonce = outside.get(explainField);
  const mayAsk = keys.open || status === "valid";
  if (mayAsk && typeof nonce === "string" && nonce.length <= maxNonceLength)
    fields.push([explainField, nonce]);
  if (status === "open" || status === "valid") fields.push([routeField, key]);
  return emptyContext.with(Object.fromEntries(fields));
}
