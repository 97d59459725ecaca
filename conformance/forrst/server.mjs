// @ts-check
// Clew's own server with the functions that the cases ask for; README.md says what each has to do.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createClient,
  createDefaultExtensions,
  createIdempotencyExtension,
  createMemoryIdempotencyStore,
  createRetryExtension,
  createServer,
  defineFunction,
  defineStream,
  listen,
  RpcError,
} from "@clew/rpc";
import { z } from "zod";

const service = "conformance";

const version = "1.0.0";
const anything = z.unknown();
const openObject = z.looseObject({});
const record = defineFunction({ name: "probe.record", version, arguments: openObject, result: anything });
const count = defineStream({
  name: "numbers.count",
  version,
  arguments: z.object({ to: z.int().min(0).max(1_000), failAt: z.int().optional() }),
  event: z.object({ number: z.int() }),
});
const createArguments = z.object({
  customer_id: z.int().positive(),
  email: z.email().optional(),
  items: z.array(z.object({ sku: z.string().min(1), quantity: z.int().min(1) })).min(1),
});
const errorObject = z.object({
  code: z.string(),
  message: z.string(),
  source: z.looseObject({}).optional(),
  details: z.looseObject({}).optional(),
});

/** @typedef {ReturnType<typeof createServer>} ForrstServer */

/** @param {ForrstServer} server */
function addEchoes(server) {
  server.function("echo.value", {
    version,
    arguments: z.object({ value: anything.optional() }),
    result: anything,
    handler: ({ value }) => value ?? null,
  });
  server.function("echo.arguments", {
    version,
    arguments: openObject,
    result: openObject,
    handler: (args) => args,
  });
  server.function("echo.context", {
    version,
    arguments: openObject,
    result: anything,
    handler: (_, call) => ({
      caller: call.context.caller ?? null,
      fields: Object.fromEntries(call.context.entries()),
    }),
  });
}

/** @param {ForrstServer} server */
function addOrders(server) {
  for (const offered of ["1.0.0", "2.0.0", "2.1.0", "10.0.0", "11.0.0-beta.1", "11.0.0-beta.2"]) {
    server.function("orders.get", {
      version: offered,
      arguments: z.object({ id: z.string().min(1) }),
      result: openObject,
      handler: ({ id }, call) => ({ id, version: call.version }),
    });
  }
  server.function("orders.create", {
    version,
    arguments: createArguments,
    result: openObject,
    handler: ({ customer_id, items }) => ({ customer_id, count: items.length }),
  });
  for (const [name, offered] of [
    ["drafts.list", "1.0.0-alpha.1"],
    ["urn:acme:forrst:fn:orders:list", version],
  ]) {
    server.function(String(name), {
      version: String(offered),
      arguments: openObject,
      result: z.array(anything),
      handler: () => [],
    });
  }
}

/** @param {ForrstServer} server */
function addFailures(server) {
  server.function("fail.with", {
    version,
    arguments: z.object({ errors: z.tuple([errorObject], errorObject) }),
    result: anything,
    handler({ errors }) {
      const [{ code, message }] = errors;
      throw new RpcError(code, message, { errors: /** @type {never} */ (errors) });
    },
  });
  server.function("fail.unexpectedly", {
    version,
    arguments: openObject,
    result: anything,
    handler() {
      throw new Error("secret-of-the-inside");
    },
  });
}

/** @param {ForrstServer} server */
function addWork(server) {
  /** @type {Map<string, number>} */
  const counters = new Map();
  server.function("counter.add", {
    version,
    arguments: z.object({ name: z.string(), by: z.int().optional() }),
    result: z.int(),
    handler({ name, by = 1 }) {
      const value = (counters.get(name) ?? 0) + by;
      counters.set(name, value);
      return value;
    },
  });
  server.function("slow.wait", {
    version,
    arguments: z.object({ ms: z.int().min(0).max(60_000) }),
    result: openObject,
    handler: ({ ms }, call) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, ms, { waited: ms });
        call.signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(call.signal.reason);
        });
      }),
  });
  server.implementStream(count, async function* ({ to, failAt }) {
    for (let number = 1; number <= to; number++) {
      if (number === failAt) throw new RpcError("DEPENDENCY_ERROR", "no more numbers");
      yield { number };
    }
  });
}

/** @param {ForrstServer} server */
function addRelay(server) {
  server.function("relay.call", {
    version,
    arguments: z.object({ url: z.url() }),
    result: anything,
    async handler({ url }) {
      const client = createClient({ url, service });
      try {
        return await client.call(record, {});
      } finally {
        client.close();
      }
    },
  });
}

function createConformanceServer() {
  const idempotency = createIdempotencyExtension({ store: createMemoryIdempotencyStore() });
  const extensions = [...createDefaultExtensions(), createRetryExtension(), idempotency];
  const server = createServer({ service, extensions, onContextFault: () => {} });
  for (const add of [addEchoes, addOrders, addFailures, addWork, addRelay]) add(server);
  return server
    .component("database", () => undefined)
    .component("cache", () => ({ status: "degraded", message: "elevated latency" }));
}

/** Our server on every transport that it has. */
export async function startServers() {
  const server = createConformanceServer();
  const folder = await mkdtemp(join(tmpdir(), "clew-forrst-"));
  const listeners = await Promise.all([
    listen(server),
    listen(server, { http2: true }),
    listen(server, { path: join(folder, "forrst.sock") }),
  ]);
  return {
    urls: listeners.map(({ url }) => url),
    async close() {
      await Promise.all(listeners.map((listener) => listener.close()));
      await rm(folder, { recursive: true });
    },
  };
}
