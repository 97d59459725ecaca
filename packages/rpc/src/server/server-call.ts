import type { Context, HeaderReader } from "@clew/context";
import type { ForrstRequest } from "../envelope/document.ts";
import { firstLine } from "../envelope/metadata.ts";
import type { CallDeadline } from "../extensions/deadline.ts";
import type { FunctionFacts } from "../extensions/extension.ts";
import type { IdempotencyKey } from "../extensions/idempotency/idempotency.ts";
import type { Trace } from "../extensions/tracing.ts";
import type { Call } from "./call.ts";
import { CallContext } from "./call-context.ts";
import type { Exchange } from "./exchange.ts";
import type { ResponseMeta } from "./response-meta.ts";

/** A call that is being handled. What hardly any handler asks for is worked out when one does. */
export class ServerCall implements Call {
  readonly id: string;
  readonly function: string;
  readonly version: string;
  readonly context: Context;
  trace: Trace | undefined = undefined;
  deadline: CallDeadline | undefined = undefined;
  idempotency: IdempotencyKey | undefined = undefined;
  lastEventId: string | undefined = undefined;
  readonly #exchange: Exchange;
  readonly #header: HeaderReader;
  #signal: AbortSignal | undefined = undefined;
  #meta: ResponseMeta | undefined = undefined;

  constructor(
    exchange: Exchange,
    header: HeaderReader,
    { id }: ForrstRequest,
    { name, version }: FunctionFacts,
    context: Context,
  ) {
    this.id = id;
    this.function = name;
    this.version = version;
    this.#exchange = exchange;
    this.#header = header;
    this.context = new CallContext(context, this);
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#exchange.abort.signal;
    return this.#signal;
  }

  /** As far as anybody has looked: a signal that nobody asked for was never aborted for the handler's sake. */
  get isAborted(): boolean {
    return this.#signal?.aborted === true;
  }

  abort(reason: unknown): void {
    // Seen by `isAborted` as well.
    void this.signal;
    this.#exchange.abort.abort(reason);
  }

  get token(): string | undefined {
    const line = firstLine(this.#header, "authorization");
    return line === undefined ? undefined : /^Bearer +(\S+)$/i.exec(line)?.[1];
  }

  get remoteAddress(): string | undefined {
    return this.#exchange.remoteAddress;
  }

  get meta(): ResponseMeta {
    this.#meta ??= {};
    return this.#meta;
  }

  /** Undefined where nobody said anything. */
  get givenMeta(): ResponseMeta | undefined {
    return this.#meta;
  }
}
