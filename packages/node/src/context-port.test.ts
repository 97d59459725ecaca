import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { MessageChannel, Worker } from "node:worker_threads";
import { context } from "@clew/context";
import { contextPort } from "./context-port.ts";

const worker = `
  const { parentPort } = require("node:worker_threads");
  (async () => {
    const { contextPort } = await import(${JSON.stringify(new URL("./context-port.js", import.meta.url).href)});
    const { context } = await import(${JSON.stringify(import.meta.resolve("@clew/context"))});
    const port = contextPort(parentPort, "worker");
    const stop = port.onMessage(async (job) => {
      if (job === "stop") return stop();
      await new Promise(setImmediate);
      port.postMessage([job, context.get("tenant_id"), context.current().caller]);
    });
    parentPort.postMessage("ready");
  })();`;

test("a worker's jobs run in the context that each was posted in, and so do the answers; plain messages in an empty one", async () => {
  const thread = new Worker(worker, { eval: true });
  await once(thread, "message");
  const port = contextPort(thread, "main");
  const answers: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    port.onMessage((answer) => {
      answers.push([answer, context.get("tenant_id"), context.current()?.caller]);
      if (answers.length === 3) resolve();
    });
  });
  for (const tenant_id of ["a", "b"]) context.with({ tenant_id }, () => port.postMessage(`job ${tenant_id}`));
  context.with({ tenant_id: "c" }, () => thread.postMessage({ plain: true }));
  await done;
  port.postMessage("stop");
  await once(thread, "exit");
  assert.deepEqual(answers, [
    [["job a", "a", "main"], "a", "worker"],
    [["job b", "b", "main"], "b", "worker"],
    [[{ plain: true }, undefined, undefined], undefined, "worker"],
  ]);
});

test("what is transferred arrives, and what only looks like an envelope does no harm", async () => {
  const { port1, port2 } = new MessageChannel();
  const received: unknown[] = [];
  const port = contextPort(port1, "test");
  const stop = contextPort(port2, "test").onMessage((value) => {
    received.push(value, context.current()?.size);
    if (received.length === 8) {
      stop();
      port1.close();
    }
  });
  const buffer = new ArrayBuffer(4);
  port.postMessage(buffer, [buffer]);
  port1.postMessage({ "clew.context": null });
  port1.postMessage({ "clew.context": { baggage: 5, traceparent: "x" }, value: 1 });
  port1.postMessage(null);
  await once(port1, "close");
  assert.equal(buffer.byteLength, 0);
  assert.deepEqual(received, [new ArrayBuffer(4), 0, { "clew.context": null }, 0, 1, 0, null, 0]);
});
