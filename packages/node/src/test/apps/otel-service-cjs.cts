// The OpenTelemetry application as a CommonJS module.
const http = require("node:http") as typeof import("node:http");

void import("./otel-app.js").then(({ startOtelApp }) => startOtelApp(http));
