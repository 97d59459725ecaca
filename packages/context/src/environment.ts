import type { Context } from "./context.ts";
import { type ExtractOptions, extractContext } from "./extract.ts";
import { injectContext } from "./inject.ts";

/** Header name → environment variable: upper case, `-` as `_`. */
const variableNames: Readonly<Record<string, string>> = {
  baggage: "BAGGAGE",
  traceparent: "TRACEPARENT",
  tracestate: "TRACESTATE",
  "x-forrst-caller": "X_FORRST_CALLER",
};

/** The context that the parent process handed over; an empty variable counts as absent. */
export function contextFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  options?: ExtractOptions,
): Context {
  return extractContext((name) => env[variableNames[name] ?? name] || undefined, options);
}

/**
 * Variables for a child process. All of them, empty where there is nothing to say: spread over the parent's own
 * environment they leave no older context behind.
 */
export function contextToEnvironment(context: Context, service: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of Object.values(variableNames)) variables[name] = "";
  injectContext(
    context,
    (name, value) => {
      variables[variableNames[name] ?? name] = value;
    },
    { service },
  );
  return variables;
}
