import { type Channel, channel } from "node:diagnostics_channel";
import { contextHeaderNames } from "./context.ts";
import { type CreatedRequest, currentDispatch, type DispatchDecision } from "./current-dispatch.ts";
import type { Hook } from "./hook.ts";

type Field = readonly [name: unknown, value: unknown];

/**
 * OpenTelemetry's instrumentation of undici adds headers where undici publishes that a request was made. That may be
 * in the scope of whichever request freed a connection, so its spans get that one's trace, and what it sends that
 * one's fields. Here it runs in the scope of whoever made the request, and its headers are joined with ours: the trace
 * is that of its span, the fields are as we have decided, each is there once.
 */
export function hookUndiciChannel(hook: Hook): void {
  hook.replace(
    channel("undici:request:create"),
    "publish",
    () =>
      function (this: Channel, ...args: [message: { request: CreatedRequest }]) {
        // Which method it is changes with the first subscriber.
        const publish = Reflect.get(Object.getPrototypeOf(this), "publish");
        const decision = currentDispatch();
        const request = args[0]?.request;
        if (!hook.active || decision?.enter === undefined) return Reflect.apply(publish, this, args);
        const before = fieldsOf(request?.headers);
        const result = decision.enter(() => Reflect.apply(publish, this, args));
        try {
          if (before !== undefined) join(request, before, decision);
        } catch (error) {
          hook.fail(error);
        }
        return result;
      },
  );
}

function join(request: CreatedRequest, before: readonly Field[], { added }: DispatchDecision): void {
  const after = fieldsOf(request.headers);
  if (after === undefined || after.length === before.length) return;
  const injected = after.slice(before.length).filter((field) => !isNamed(field, fieldHeaders));
  const hasSpan = injected.some((field) => isNamed(field, traceHeaders));
  // A trace of the application's own wins over both.
  const isOurs = !before.some((field) => isNamed(field, traceHeaders)) || added?.traceparent !== undefined;
  const kept = hasSpan && isOurs ? before.filter((field) => !isNamed(field, traceHeaders)) : before;
  const fresh = isOurs ? injected : injected.filter((field) => !isNamed(field, traceHeaders));
  const fields = [...kept, ...fresh];
  request.headers =
    typeof request.headers === "string"
      ? fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")
      : fields.flat(1);
}

const traceHeaders: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);
/** Decided by us, whether they were added, were there, or are withheld. */
const fieldHeaders: ReadonlySet<string> = new Set(
  contextHeaderNames.filter((name) => !traceHeaders.has(name)),
);

function isNamed([name]: Field, lowerCaseNames: ReadonlySet<string>): boolean {
  return lowerCaseNames.has(String(name).toLowerCase());
}

/** Undefined for headers in a form that is not known; they are left as they are. */
function fieldsOf(headers: unknown): Field[] | undefined {
  if (typeof headers === "string") {
    const lines = headers.split("\r\n").filter((line) => line !== "");
    return lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
  }
  if (!Array.isArray(headers) || headers.length % 2 !== 0) return undefined;
  return Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at], headers[2 * at + 1]]);
}
