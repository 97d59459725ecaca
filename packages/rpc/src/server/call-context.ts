import { context as ambient, type Context, type FieldChanges, type JsonValue } from "@clew/context";
import { traceparentOf } from "../extensions/trace-ids.ts";
import type { Call } from "./call.ts";

/** Known to every copy of this package that the process has loaded. */
const callSlot: unique symbol = Symbol.for("clew.rpc.call.1") as never;

interface CallHolder {
  [callSlot]?: Call;
}

/**
 * The context of a call's request, with the call beside it: so what is done in a handler finds deadline and trace by
 * the process's one AsyncLocalStorage, also under `context.with`. Each call has an object of its own, an empty context
 * included. The trace is in no field.
 */
export class CallContext implements Context {
  readonly #context: Context;
  readonly #call: Call;

  constructor(context: Context, call: Call) {
    this.#context = context;
    this.#call = call;
    (this as CallHolder)[callSlot] = call;
  }

  get caller(): string | undefined {
    return this.#context.caller;
  }

  /** As it came; where only the tracing extension brought a trace, what stands for that. */
  get traceparent(): string | undefined {
    const { traceparent } = this.#context;
    const { trace } = this.#call;
    if (traceparent !== undefined || trace === undefined) return traceparent;
    return traceparentOf({ traceId: trace.traceId, spanId: trace.parentSpanId });
  }

  get tracestate(): string | undefined {
    return this.#context.tracestate;
  }

  get size(): number {
    return this.#context.size;
  }

  get baggage(): string {
    return this.#context.baggage;
  }

  get(name: string): JsonValue | undefined {
    return this.#context.get(name);
  }

  has(name: string): boolean {
    return this.#context.has(name);
  }

  text(name: string): string | undefined {
    return this.#context.text(name);
  }

  entries(): IterableIterator<[string, JsonValue]> {
    return this.#context.entries();
  }

  with(fields: FieldChanges): Context {
    const changed = this.#context.with(fields);
    return changed === this.#context ? this : new CallContext(changed, this.#call);
  }
}

/** The call that is being handled here; undefined outside of any. */
export function currentCall(): Call | undefined {
  return (ambient.current() as CallHolder | undefined)?.[callSlot];
}
