import assert from "node:assert/strict";
import { once } from "node:events";
import { access, readFile, writeFile } from "node:fs/promises";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { startProcess, temporaryDirectory } from "@clew/testing";
import { createClient, type ForrstClient } from "../client/create-client.ts";
import { defineFunction } from "../contract.ts";
import { createServer, type ForrstServer } from "../server/create-server.ts";
import { writeFrame } from "../transports/frame-reader.ts";
import { listen } from "../transports/listen.ts";
import { makeCertificate } from "./certificate.ts";
import { anything, deferred, nothing } from "./fixtures.ts";

const run = defineFunction({ name: "a.run", version: "1.0.0", arguments: nothing, result: anything });
const directory = await temporaryDirectory();
after(() => directory[Symbol.asyncDispose]());
let paths = 0;
const newPath = (): string => join(directory.path, `${++paths}.sock`);

function serve(handler: (signal: AbortSignal) => unknown): ForrstServer {
  const server = createServer({ service: "a", onContextFault: () => {} });
  return server.implement(run, (_, { signal }) => handler(signal));
}

function clientOf(url: string, options: object = {}): ForrstClient & Disposable {
  const client = createClient({ url, service: "tests", ...options });
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

const requestFrame = writeFrame(
  JSON.stringify({
    protocol: { name: "forrst", version: "0.1.0" },
    id: "1",
    call: { function: run.name, arguments: {} },
  }),
);

test("a socket file that a killed server left is taken away, and the server's own at its end", async () => {
  const path = newPath();
  const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
  await using killed = await startProcess(process.execPath, ["-e", program]);
  await killed.waitForLine("up");
  killed.signal("SIGKILL");
  await killed.exited;
  await access(path);
  const listener = await listen(
    serve(() => "here"),
    { path },
  );
  using client = clientOf(listener.url);
  assert.equal(await client.call(run, {}), "here");
  await listener.close();
  await assert.rejects(access(path), { code: "ENOENT" });
});

test("a socket behind which somebody answers is left alone, and so is a file that is no socket", async () => {
  const path = newPath();
  await using first = await listen(
    serve(() => "first"),
    { path },
  );
  await assert.rejects(
    listen(
      serve(() => "second"),
      { path },
    ),
    { code: "E_RPC_LISTEN" },
  );
  using client = clientOf(first.url);
  assert.equal(await client.call(run, {}), "first");
  const file = newPath();
  await writeFile(file, "notes");
  await assert.rejects(
    listen(
      serve(() => 1),
      { path: file },
    ),
    { code: "E_RPC_LISTEN" },
  );
  assert.equal(await readFile(file, "utf8"), "notes");
});

test("a client of a Unix socket that dies is noticed while its handler runs", async () => {
  const entered = deferred();
  const aborted = deferred();
  await using listener = await listen(
    serve(async (signal) => {
      entered.resolve();
      await once(signal, "abort");
      aborted.resolve();
    }),
    { path: newPath() },
  );
  const socket = connect(listener.url.slice("unix:".length));
  socket.write(requestFrame);
  await entered.promise;
  socket.destroy();
  await aborted.promise;
});

test("a client that ended its half gets its answer, and is noticed when it dies after all", async () => {
  const released = deferred();
  const aborted = deferred();
  let calls = 0;
  await using listener = await listen(
    serve(async (signal) => {
      if (++calls === 1) {
        await released.promise;
        return "late";
      }
      await once(signal, "abort");
      aborted.resolve();
      return undefined;
    }),
    { path: newPath() },
  );
  const path = listener.url.slice("unix:".length);
  const patient = connect({ path, allowHalfOpen: true });
  patient.end(requestFrame);
  patient.once("finish", () => setImmediate(released.resolve));
  const [answer] = (await once(patient, "data")) as [Buffer];
  assert.match(answer.toString(), /"result":"late"/);
  const dying = connect({ path, allowHalfOpen: true });
  dying.end(requestFrame);
  await once(dying, "finish");
  dying.destroy();
  await aborted.promise;
});

test("a server that says GOAWAY in the middle of a call still answers it, and the next goes over a new connection", async () => {
  const entered = deferred();
  const released = deferred();
  let calls = 0;
  const server = serve(async () => {
    if (++calls === 1) {
      entered.resolve();
      await released.promise;
    }
    return calls;
  });
  const http2 = createHttp2Server((request, response) => server.handle(request, response));
  const sessions: { goaway(): void; close(): void }[] = [];
  http2.on("session", (session) => sessions.push(session));
  http2.listen(0, "127.0.0.1");
  await once(http2, "listening");
  using client = clientOf(`h2c://127.0.0.1:${(http2.address() as AddressInfo).port}/`);
  const first = client.call(run, {});
  await entered.promise;
  sessions[0]?.goaway();
  assert.equal(await client.call(run, {}), 2);
  assert.equal(sessions.length, 2);
  released.resolve();
  assert.equal(await first, 2);
  client.close();
  await new Promise((resolve) => http2.close(resolve));
});

test("a server with `ca` takes only clients with a certificate of it, over HTTP/1.1 and HTTP/2", async () => {
  const tls = makeCertificate(directory.path);
  for (const http2 of [false, true]) {
    await using listener = await listen(
      serve(() => "in"),
      { http2, tls: { ...tls, ca: tls.cert } },
    );
    using known = clientOf(listener.url, { tls: { ca: tls.cert, cert: tls.cert, key: tls.key } });
    assert.equal(await known.call(run, {}), "in");
    using stranger = clientOf(listener.url, { tls: { ca: tls.cert } });
    await assert.rejects(stranger.call(run, {}), { code: "UNAVAILABLE" });
  }
});
