// The OpenTelemetry application as an ES module.
import { createServer, request } from "node:http";
import { startOtelApp } from "./otel-app.ts";

await startOtelApp({ createServer, request });
