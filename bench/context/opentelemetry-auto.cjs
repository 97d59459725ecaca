// @ts-check
// What OpenTelemetry's getting-started page leads to: everything it can instrument; spans go nowhere.
for (const signal of ["TRACES", "METRICS", "LOGS"]) process.env[`OTEL_${signal}_EXPORTER`] = "none";
// It would ask the clouds for their metadata, and this machine is in none.
process.env["OTEL_NODE_RESOURCE_DETECTORS"] = "none";
require("@opentelemetry/auto-instrumentations-node/register");
