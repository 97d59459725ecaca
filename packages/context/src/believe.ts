import { encodeFieldName, readBaggage } from "@clew/wire";
import { type Context, createContext } from "./context.ts";
import { ownFieldPrefix } from "./field-names.ts";

/**
 * What is believed of a context that came from outside (I5): the custom fields on a list, as the bytes that came,
 * and no caller. Clew's own fields are never believed for their name; whoever can prove one adds it with `with`.
 */
export function believeFields(
  outside: Context,
  accept: readonly string[],
  options: {
    /** Whether the trace is taken over, so that a visitor's spans and ours are one trace. Default false. */
    readonly trace?: boolean | undefined;
  } = {},
): Context {
  const keys = new Set(accept.filter((name) => !name.startsWith(ownFieldPrefix)).map(encodeFieldName));
  const believed = [...readBaggage(outside.baggage)].filter(({ key }) => keys.has(key));
  const trace = options.trace === true ? outside : undefined;
  return createContext({
    baggage: believed.map(({ raw }) => raw).join(","),
    traceparent: trace?.traceparent,
    tracestate: trace?.tracestate,
    caller: undefined,
  });
}
