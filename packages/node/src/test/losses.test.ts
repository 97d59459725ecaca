// Where JavaScript itself loses the scope, or has another's, and what restores it. docs/reference/propagation.md names
// the same places. What Node emits on requests and answers is in scope.test.ts, as propagation restores that itself.
import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { EventEmitter, on, once } from "node:events";
import { readFile } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { connect, createServer as createNetServer } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import { context } from "@clew/context";
import { listen } from "./listen.ts";

type Callback = () => void;

const tenant = (): unknown => context.get("tenant_id");
const inScopeOf = <T>(tenant_id: string, fn: () => T): T => context.with({ tenant_id }, fn);

/** What is ambient in a callback that `arrange` is given in the scope of `own`. */
function seenBy(arrange: (callback: Callback) => void): Promise<unknown> {
  return new Promise((resolve) => inScopeOf("own", () => arrange(() => resolve(tenant()))));
}

/** Callbacks handed over in one scope, and called by whoever comes next: a pool's, a limiter's, a driver's. */
function createQueue(): { push(callback: Callback): void; drain(): void } {
  const waiting: Callback[] = [];
  return {
    push: (callback) => void waiting.push(callback),
    drain: () => {
      for (const callback of waiting.splice(0)) callback();
    },
  };
}

/** Each arranges that a callback is called later, by another. */
const losses: Readonly<Record<string, (callback: Callback) => void>> = {
  "a queue of callbacks that another request drains": (callback) => {
    const queue = createQueue();
    queue.push(callback);
    inScopeOf("other", () => setImmediate(queue.drain));
  },
  "a listener of an emitter that another request makes emit": (callback) => {
    const emitter = new EventEmitter().once("event", callback);
    inScopeOf("other", () => setImmediate(() => emitter.emit("event")));
  },
  "a listener of an event target": (callback) => {
    const target = new EventTarget();
    target.addEventListener("event", callback);
    inScopeOf("other", () => setImmediate(() => target.dispatchEvent(new Event("event"))));
  },
  "a signal that another request aborts": (callback) => {
    const controller = new AbortController();
    controller.signal.addEventListener("abort", callback);
    inScopeOf("other", () => setImmediate(() => controller.abort()));
  },
  "a stream that another request writes to": (callback) => {
    const stream = new PassThrough();
    stream.once("data", callback);
    inScopeOf("other", () => setImmediate(() => stream.write("x")));
  },
  "a batch that begins with another request's call": (callback) => {
    const queue = createQueue();
    inScopeOf("other", () => setTimeout(queue.drain, 1));
    queue.push(callback);
  },
};

for (const [name, arrange] of Object.entries(losses)) {
  test(`${name}: the callback sees the other's context, and its own when it is bound`, async () => {
    assert.equal(await seenBy(arrange), "other");
    assert.equal(await seenBy((callback) => arrange(context.bind(callback))), "own");
  });
}

test("one connection that many requests share: its events belong to whoever opened it; a promise per call keeps each", async () => {
  const server = createNetServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket = inScopeOf("other", () => connect(port, "127.0.0.1"));
  const replies = on(socket, "data");
  const ask = async (): Promise<unknown> => {
    socket.write("x");
    await replies.next();
    return tenant();
  };
  const arrange = (callback: Callback): void => {
    socket.once("data", callback);
    socket.write("x");
  };
  assert.equal(await seenBy(arrange), "other");
  assert.equal(await seenBy((callback) => arrange(context.bind(callback))), "own");
  assert.equal(await inScopeOf("own", ask), "own");
  socket.destroy();
  server.close();
});

test("a generator runs in the scope of whoever asks it for the next value; bound, it stays in one", async () => {
  function* values(): Generator<unknown> {
    for (;;) yield tenant();
  }
  async function* laterValues(): AsyncGenerator<unknown> {
    for (;;) {
      await null;
      yield tenant();
    }
  }
  for (const generate of [values, laterValues]) {
    const generator = inScopeOf<Generator<unknown> | AsyncGenerator<unknown>>("own", generate);
    const next = async (): Promise<unknown> => (await generator.next()).value;
    const bound = inScopeOf("own", () => context.bind(next));
    assert.equal(await inScopeOf("own", next), "own");
    assert.equal(await inScopeOf("other", next), "other");
    assert.equal(await inScopeOf("other", bound), "own");
  }
});

/** Each arranges that a callback is called later, where Node or the language keeps the scope. */
const safe: Readonly<Record<string, (callback: Callback) => unknown>> = {
  setTimeout: (callback) => setTimeout(callback, 1),
  setImmediate,
  nextTick: (callback) => process.nextTick(callback),
  queueMicrotask,
  "a callback of the file system": (callback) => readFile(import.meta.filename, () => callback()),
  "a message of a port": (callback) => {
    const { port1, port2 } = new MessageChannel();
    port1.once("message", () => {
      port1.close();
      callback();
    });
    inScopeOf("other", () => port2.postMessage(1));
  },
  "a promise that another resolves": (callback) => {
    let resolve: Callback = () => {};
    void new Promise<void>((resolveIt) => {
      resolve = resolveIt;
    }).then(callback);
    inScopeOf("other", () => setImmediate(resolve));
  },
  "await of a promise made by another": async (callback) => {
    await inScopeOf("other", () => delay(1));
    callback();
  },
  "await of a thenable": async (callback) => {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is looked at.
    await { then: (resolve: Callback) => inScopeOf("other", () => void setImmediate(resolve)) };
    callback();
  },
  "for await of a stream": async (callback) => {
    const stream = new PassThrough();
    inScopeOf("other", () => setImmediate(() => stream.end("x")));
    for await (const _chunk of stream);
    callback();
  },
  "once of an emitter": async (callback) => {
    const emitter = new EventEmitter();
    inScopeOf("other", () => setImmediate(() => emitter.emit("event")));
    await once(emitter, "event");
    callback();
  },
  "a function bound by Node's own means": (callback) => {
    const bound = AsyncResource.bind(callback);
    inScopeOf("other", () => setImmediate(bound));
  },
  "a readable's end": (callback) => Readable.from([]).resume().once("end", callback),
};

test("what keeps the scope needs no cure", async () => {
  for (const [name, arrange] of Object.entries(safe)) {
    assert.equal(await seenBy((callback) => void arrange(callback)), "own", name);
  }
});

test("answers that come back on a connection kept by an agent reach each caller in its own scope", async () => {
  await using server = await listen(createServer((_req, res) => res.end("x".repeat(100_000))));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = async (id: string): Promise<unknown[]> =>
    inScopeOf(
      id,
      () =>
        new Promise((resolve) => {
          const seen: unknown[] = [];
          request({ host: "127.0.0.1", port: server.port, agent }, (response) => {
            seen.push(tenant());
            response.once("data", () => seen.push(tenant()));
            response.once("end", () => resolve([...seen, tenant()]));
          }).end();
        }),
    );
  const ids = ["a", "b", "c"];
  assert.deepEqual(
    await Promise.all(ids.map(send)),
    ids.map((id) => [id, id, id]),
  );
  agent.destroy();
});
