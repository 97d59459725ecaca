// Starts OpenTelemetry as its users do, before the application; for --require and --import. It exports nothing, but
// keeps the client spans that were started where the application can tell of them.
const { register } = require("node:module") as typeof import("node:module");
const { pathToFileURL } = require("node:url") as typeof import("node:url");
const { isMainThread } = require("node:worker_threads") as typeof import("node:worker_threads");
const { NodeSDK } = require("@opentelemetry/sdk-node") as typeof import("@opentelemetry/sdk-node");
const { SpanKind } = require("@opentelemetry/api") as typeof import("@opentelemetry/api");
const { HttpInstrumentation } =
  require("@opentelemetry/instrumentation-http") as typeof import("@opentelemetry/instrumentation-http");
const { UndiciInstrumentation } =
  require("@opentelemetry/instrumentation-undici") as typeof import("@opentelemetry/instrumentation-undici");

// Modules that are imported, not required, are instrumented by a loader. Its thread preloads what we do.
if (isMainThread) register("@opentelemetry/instrumentation/hook.mjs", pathToFileURL(__filename));

const clientSpans: string[] = [];
Object.defineProperty(globalThis, Symbol.for("clew.test.client-spans"), { value: clientSpans });

new NodeSDK({
  instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()],
  spanProcessors: [
    {
      onStart(span) {
        if (span.kind === SpanKind.CLIENT) clientSpans.push(span.spanContext().spanId);
      },
      onEnd() {},
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    },
  ],
}).start();
