import { createRequire } from "node:module";

// Required when first needed, not imported: an import of `node:http` reads all that it exports and thereby loads the whole of
// Node's `fetch`, 13 MiB; HTTP/2 and TLS are 8 more. An agent calls its manager by plain HTTP and is to stay light.
const require = createRequire(import.meta.url);

export const nodeHttp = (): typeof import("node:http") => require("node:http");
export const nodeHttps = (): typeof import("node:https") => require("node:https");
export const nodeHttp2 = (): typeof import("node:http2") => require("node:http2");
