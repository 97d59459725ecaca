// @ts-check
// The control: OpenTelemetry's instrumentations, without an exporter.
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { getNodeAutoInstrumentations } = require("@opentelemetry/auto-instrumentations-node");

process.env["OTEL_TRACES_EXPORTER"] = "none";
process.env["OTEL_METRICS_EXPORTER"] = "none";
process.env["OTEL_LOGS_EXPORTER"] = "none";
new NodeSDK({ instrumentations: [getNodeAutoInstrumentations()] }).start();
