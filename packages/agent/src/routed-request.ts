import {
  type Context,
  explainField,
  extractContext,
  parseRoutingKey,
  type RoutingKeyMode,
  routeField,
} from "@clew/context";
import type { RequestHead } from "@clew/proxy";
import type { RoutableRequest } from "@clew/routing";

/** Characters of a nonce. Clew's own have 32; longer ones are not answered, since they would travel in reports. */
const maxNonceLength = 128;

/** What routing asks of a request. The context is parsed at the first question that needs it. */
export class RoutedRequest implements RoutableRequest {
  readonly method: string;
  readonly path: string;
  readonly key: RoutableRequest["key"];
  readonly #head: RequestHead;
  readonly #keys: RoutingKeyMode;
  #context: Context | undefined;

  constructor(head: RequestHead, keys: RoutingKeyMode) {
    this.#head = head;
    this.#keys = keys;
    this.method = head.method;
    this.path = head.path;
    this.key = mentions(head, routeField)
      ? parseRoutingKey(this.context.get(routeField), keys)
      : { status: "none" };
  }

  get client(): string | undefined {
    return this.#head.remoteAddress;
  }

  get context(): Context {
    this.#context ??= extractContext((name) => this.#head.header(name));
    return this.#context;
  }

  header(name: string): string | undefined {
    return this.#head.header(name);
  }

  field(name: string): string | undefined {
    return name === "caller" ? this.context.caller : this.context.text(name);
  }

  /** The nonce under which the decision is wanted, if it may be told: in open mode, or to the holder of a valid key. */
  get explainNonce(): string | undefined {
    if (!mentions(this.#head, explainField) || !(this.#keys.open || this.key.status === "valid"))
      return undefined;
    const nonce = this.context.get(explainField);
    return typeof nonce === "string" && nonce !== "" && nonce.length <= maxNonceLength ? nonce : undefined;
  }
}

/** Whether a request could carry this field, or one that begins so: most carry none of Clew's own, and then nothing is parsed. */
export function mentions(head: RequestHead, field: string): boolean {
  return head.includes("baggage", field);
}
