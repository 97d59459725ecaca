import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { context, contextHeaderNames, extractContext } from "@clew/context";
import type * as Grpc from "@grpc/grpc-js";
import { register } from "../api.ts";

// The same server is reached by an internal and by an external name.
const registration = register({
  service: "test",
  warnMissing: false,
  destinations: { internal: ["127.0.0.1"], replace: true },
});
after(() => registration.disable());

const grpc: typeof Grpc = createRequire(import.meta.url)("@grpc/grpc-js");

const serialize = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const deserialize = (bytes: Buffer): unknown => JSON.parse(bytes.toString());
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Test/${name}`,
  requestStream,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});
const service = {
  unary: method("unary", false, false),
  upload: method("upload", true, false),
  download: method("download", false, true),
  chat: method("chat", true, true),
};

type Seen = Record<string, string>;

/** The headers of a context that came, and what was ambient in the given place. */
function see(metadata: Grpc.Metadata): Seen {
  const names = contextHeaderNames.filter((name) => metadata.get(name).length > 0);
  const sent = Object.fromEntries(names.map((name) => [name, metadata.get(name).join(" and ")]));
  return { ...sent, ambient: String(context.get("tenant_id")), caller: String(context.current()?.caller) };
}

const implementation: Grpc.UntypedServiceImplementation = {
  unary(call: Grpc.ServerUnaryCall<unknown, Seen>, answer: Grpc.sendUnaryData<Seen>) {
    setTimeout(() => answer(null, see(call.metadata)), 1);
  },
  upload(call: Grpc.ServerReadableStream<unknown, Seen[]>, answer: Grpc.sendUnaryData<Seen[]>) {
    const seen: Seen[] = [see(call.metadata)];
    call.on("data", () => seen.push(see(call.metadata)));
    call.on("end", () => answer(null, [...seen, see(call.metadata)]));
  },
  download(call: Grpc.ServerWritableStream<unknown, Seen>) {
    call.write(see(call.metadata));
    setTimeout(() => {
      call.write(see(call.metadata));
      call.end();
    }, 1);
  },
  chat(call: Grpc.ServerDuplexStream<unknown, Seen>) {
    call.on("data", () => call.write(see(call.metadata)));
    call.on("end", () => call.end());
  },
};

interface TestServer extends AsyncDisposable {
  readonly port: number;
  client(options?: Grpc.ClientOptions, host?: string): TestClient;
}

interface TestClient extends Grpc.Client {
  unary(...args: unknown[]): Grpc.ClientUnaryCall;
  upload(...args: unknown[]): Grpc.ClientWritableStream<unknown>;
  download(...args: unknown[]): Grpc.ClientReadableStream<Seen>;
  chat(...args: unknown[]): Grpc.ClientDuplexStream<unknown, Seen>;
}

async function startServer(methods = implementation): Promise<TestServer> {
  const server = new grpc.Server();
  server.addService(service, methods);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const clients: Grpc.Client[] = [];
  const TestClient = grpc.makeGenericClientConstructor(service, "Test");
  return {
    port,
    client(options, host = "127.0.0.1") {
      const own = { "grpc.use_local_subchannel_pool": 1, ...options };
      const client = new TestClient(`${host}:${port}`, grpc.credentials.createInsecure(), own);
      clients.push(client);
      return client as unknown as TestClient;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      server.forceShutdown();
    },
  };
}

const unary = (client: TestClient, ...args: unknown[]): Promise<Seen> =>
  new Promise((resolve, reject) => {
    client.unary({}, ...args, (error: unknown, seen: Seen) => (error ? reject(error) : resolve(seen)));
  });

const incoming: Readonly<Record<string, string>> = {
  baggage: "tenant_id=acme",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=1",
  "x-forrst-caller": "gateway",
};
const sent = { ...incoming, "x-forrst-caller": "test" };
const expected: Seen = { ...sent, ambient: "acme", caller: "test" };

const inRequest = <T>(serve: () => T): T =>
  context.run(
    extractContext((name) => incoming[name]),
    serve,
  );

test("calls of all four kinds carry the context, and the server has it wherever it is called back", async () => {
  await using server = await startServer();
  const client = server.client();
  await inRequest(async () => {
    assert.deepEqual(await unary(client), expected);
    const uploaded = await new Promise<Seen[]>((resolve, reject) => {
      const call = client.upload((error: unknown, seen: Seen[]) => (error ? reject(error) : resolve(seen)));
      call.write({});
      call.write({});
      call.end();
    });
    assert.deepEqual(
      uploaded,
      Array.from({ length: 4 }, () => expected),
    );
    assert.deepEqual(await client.download({}).toArray(), [expected, expected]);
    const chat = client.chat();
    chat.write({});
    chat.write({});
    chat.end();
    assert.deepEqual(await chat.toArray(), [expected, expected]);
  });
});

test("calls queued while the channel connects: each carries its own context and is called back in it", async () => {
  await using server = await startServer();
  const client = server.client();
  const tenants = Array.from({ length: 50 }, (_, id) => `t${id}`);
  const call = (tenant_id: string): Promise<string[]> =>
    context.with({ tenant_id }, async () => {
      const seen: string[] = [];
      const look = (event: string) => () => void seen.push(`${event} ${context.get("tenant_id")}`);
      const [, chat] = await Promise.all([
        new Promise<void>((resolve, reject) => {
          const unaryCall = client.unary({}, (error: unknown, answer: Seen) => {
            look(`answer ${answer?.["ambient"]}`)();
            if (error) reject(error);
            else resolve();
          });
          for (const event of ["metadata", "status"]) unaryCall.on(event, look(`unary ${event}`));
        }),
        (async () => {
          const stream = client.chat();
          for (const event of ["data", "end", "status", "metadata", "finish"])
            stream.on(event, look(`chat ${event}`));
          stream.write({}, look("written"));
          stream.end();
          await once(stream, "status");
          return stream;
        })(),
      ]);
      chat.destroy();
      return seen;
    });
  for (const [id, seen] of (await Promise.all(tenants.map(call))).entries()) {
    assert.deepEqual([...new Set(seen.map((place) => place.split(" ").at(-1)))], [`t${id}`], seen.join());
    assert.equal(seen.length, 9, seen.join());
    assert.ok(seen.includes(`answer t${id} t${id}`), seen.join());
  }
});

test("the control, what is ambient where grpc-js makes its HTTP/2 requests, is another's: so the test above would see it", async () => {
  await using server = await startServer();
  const session = connect(`http://127.0.0.1:${server.port}`);
  const prototype = Object.getPrototypeOf(session);
  session.destroy();
  const ambient: unknown[] = [];
  const { request } = prototype;
  prototype.request = function (...args: unknown[]) {
    ambient.push(context.get("tenant_id"));
    return Reflect.apply(request, this, args);
  };
  const client = server.client();
  const tenants = Array.from({ length: 50 }, (_, id) => `t${id}`);
  await Promise.all(tenants.map((tenant_id) => context.with({ tenant_id }, () => unary(client))));
  prototype.request = request;
  assert.equal(ambient.length, tenants.length);
  assert.ok(new Set(ambient).size < tenants.length);
});

test("a call outside of any scope, queued behind those of a tenant, carries and sees nothing", async () => {
  await using server = await startServer();
  const client = server.client();
  const ofTenant = context.with({ tenant_id: "acme" }, () => unary(client));
  let ambient: unknown = "not called";
  const outside = new Promise<Seen>((resolve, reject) => {
    client.unary({}, (error: unknown, seen: Seen) => {
      ambient = context.current();
      if (error) reject(error);
      else resolve(seen);
    });
  });
  assert.equal((await ofTenant)["ambient"], "acme");
  assert.deepEqual(await outside, { "x-forrst-caller": "test", ambient: "undefined", caller: "test" });
  assert.equal(ambient, undefined);
});

test("metadata that the application or its interceptor sets wins, and is not changed", async () => {
  await using server = await startServer();
  const metadata = new grpc.Metadata();
  metadata.set("baggage", "mine=1");
  metadata.set("x-forrst-caller", "gateway");
  const interceptor: Grpc.Interceptor = (options, next) =>
    new grpc.InterceptingCall(next(options), {
      start: (given, listener, start) => {
        // Later, and in another scope, as one that fetches a token first.
        setImmediate(() => {
          given.set("tracestate", "mine=1");
          context.with({ tenant_id: "other" }, () => start(given, listener));
        });
      },
    });
  await inRequest(async () => {
    const { traceparent: _, ...others } = expected;
    const changed = { ...others, baggage: "mine=1", tracestate: "mine=1", ambient: "undefined" };
    assert.deepEqual(await unary(server.client({ interceptors: [interceptor] }), metadata), changed);
    assert.deepEqual(metadata.getMap(), {
      baggage: "mine=1",
      "x-forrst-caller": "gateway",
      tracestate: "mine=1",
    });
  });
});

test("a third party gets nothing, by the target of the channel, its authority or that of the call", async () => {
  await using server = await startServer();
  const nothing = { ambient: "undefined", caller: "undefined" };
  await inRequest(async () => {
    assert.deepEqual(await unary(server.client({}, "localhost")), nothing);
    assert.deepEqual(await unary(server.client({}, "dns:localhost")), nothing);
    assert.deepEqual(await unary(server.client({}, "ipv4:127.0.0.1")), expected);
    assert.deepEqual(await unary(server.client({ "grpc.default_authority": "api.example.com" })), nothing);
    const client = server.client();
    assert.deepEqual(await unary(client, new grpc.Metadata(), { host: "api.example.com" }), nothing);
    assert.deepEqual(await unary(client, new grpc.Metadata(), { host: "127.0.0.1:80" }), expected);
  });
});

test("retries send what the first attempt sent; deadlines, errors and cancellation stay what they are", async () => {
  const attempts: string[] = [];
  await using server = await startServer({
    ...implementation,
    unary(call: Grpc.ServerUnaryCall<unknown, Seen>, answer: Grpc.sendUnaryData<Seen>) {
      attempts.push(call.metadata.get("baggage").join(" and "));
      if (attempts.length < 3) answer({ code: grpc.status.UNAVAILABLE, details: "not yet" });
      else if (attempts.length === 3) answer(null, see(call.metadata));
    },
  });
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: "0.01s",
    maxBackoff: "0.01s",
    backoffMultiplier: 1,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const config = { methodConfig: [{ name: [{ service: "test.Test" }], retryPolicy }] };
  const client = server.client({ "grpc.service_config": JSON.stringify(config) });
  await inRequest(async () => {
    assert.deepEqual(await unary(client), expected);
    assert.deepEqual(
      attempts,
      Array.from({ length: 3 }, () => "tenant_id=acme"),
    );
    const late = unary(client, new grpc.Metadata(), { deadline: Date.now() + 50 });
    await assert.rejects(late, { code: grpc.status.DEADLINE_EXCEEDED });
    const call = client.chat();
    call.cancel();
    await assert.rejects(call.toArray(), { code: grpc.status.CANCELLED });
    client.close();
    await assert.rejects(unary(client), /shut down/);
  });
});
