// @ts-check
// Load, from a process of its own: PORT, CONNECTIONS kept connections, one request at a time on each, all with the
// context of a typical request. A line on stdin, `run <ms>`, is answered by `done {"requests":…,"ms":…,"p50Us":…,"p99Us":…}`.
const { connect } = require("node:net");
const { createInterface } = require("node:readline");

const port = Number(process.env["PORT"]);
const connectionCount = Number(process.env["CONNECTIONS"]);

const head = Buffer.from(
  [
    "GET / HTTP/1.1",
    "Host: service-a",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
    "baggage: tenant_id=acme-corp,user_id=u-829137,feature_flags=new-checkout%2Cdark-mode%2Cbeta,clew-route=canary-eu",
    "x-forrst-caller: gateway",
    "",
    "",
  ].join("\r\n"),
);

/** Latencies are counted in steps of this, so that no list grows with the requests. */
const stepUs = 10;
const stepCount = 20_000;

let histogram = new Uint32Array(stepCount);
let requests = 0;
let isRunning = false;

/** @param {() => void} onIdle */
function openConnection(onIdle) {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let sentAt = 0n;
  let expected = 0;
  let got = 0;
  const send = () => {
    sentAt = process.hrtime.bigint();
    got = 0;
    socket.write(head);
  };
  socket.on("data", (data) => {
    // Answers of one run are all alike, so the first one's length is that of all.
    if (expected === 0) expected = answerLength(data);
    got += data.length;
    if (got < expected) return;
    if (!isRunning) return onIdle();
    const us = Number(process.hrtime.bigint() - sentAt) / 1_000;
    const step = Math.min(stepCount - 1, Math.floor(us / stepUs));
    histogram[step] = (histogram[step] ?? 0) + 1;
    requests += 1;
    send();
  });
  socket.on("close", () => {
    process.stderr.write("load: the service closed a connection\n");
    process.exit(1);
  });
  return send;
}

/** @param {Buffer} data a whole answer with a content-length, or a chunked one */
function answerLength(data) {
  const text = data.toString("latin1");
  if (!text.startsWith("HTTP/1.1 200")) {
    process.stderr.write(`load: not served: ${text}\n`);
    process.exit(1);
  }
  const end = text.indexOf("\r\n\r\n") + 4;
  const length = /content-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return length === undefined ? data.length : end + Number(length);
}

/** @param {number} share */
function percentileUs(share) {
  let rest = requests * share;
  for (let step = 0; step < stepCount; step += 1) {
    rest -= histogram[step] ?? 0;
    if (rest <= 0) return (step + 1) * stepUs;
  }
  return stepCount * stepUs;
}

let idle = 0;
let onAllIdle = () => {};
const connections = Array.from({ length: connectionCount }, () =>
  openConnection(() => {
    idle += 1;
    if (idle === connectionCount) onAllIdle();
  }),
);

/** @param {number} ms */
function run(ms) {
  histogram = new Uint32Array(stepCount);
  requests = 0;
  idle = 0;
  isRunning = true;
  const startedAt = process.hrtime.bigint();
  let tookMs = 0;
  onAllIdle = () => {
    const done = { requests, ms: tookMs, p50Us: percentileUs(0.5), p99Us: percentileUs(0.99) };
    process.stdout.write(`done ${JSON.stringify(done)}\n`);
  };
  for (const send of connections) send();
  setTimeout(() => {
    isRunning = false;
    tookMs = Number(process.hrtime.bigint() - startedAt) / 1e6;
  }, ms);
}

createInterface({ input: process.stdin }).on("line", (line) => run(Number(line.slice("run ".length))));
