// @ts-check
// nginx and HAProxy as judges: real processes on loopback, in front of an upstream that remembers what they understood.
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort, rawClient, readMessage, startProcess, temporaryDirectory, until } from "@clew/testing";
import { startAnswerer } from "./answerer.mjs";
import { startRecorder } from "./recorder.mjs";
import { lowerNames, unequal } from "./understanding.mjs";

/**
 * @typedef {import("./understanding.mjs").Message} Message
 * @typedef {import("./understanding.mjs").Understanding} Understanding
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {(bytes: Buffer, options?: { closes?: boolean }) => Promise<Understanding>} understand Bytes of whole requests;
 *   `closes`: nothing is read after them.
 * @property {boolean} knowsInterim Whether interim answers of an upstream are read as such.
 * @property {(bytes: Buffer, options: { method: string }) => Promise<Understanding>} understandAnswer Bytes of a whole answer, after which
 *   the connection ends.
 * @property {(ours: Message, theirs: Message) => string[]} same
 * @property {() => Promise<void>} close
 */

/** Where a peer listens, and what stands behind it. @typedef {{ requests: number, answers: number, recorder: number, answerer: number }} Ports */

/** How long a peer may take; only one that waits for more bytes does. */
const patienceMs = 3_000;

/** A request behind the others: where it is found, a reader found the end of what is before it. */
const sentinelTarget = "/sentinel-behind-all-others";
const sentinel = Buffer.from(`GET ${sentinelTarget} HTTP/1.1\r\nHost: end\r\nConnection: close\r\n\r\n`);

/** Where Debian puts them, and what each is told. Strict as they are by default; limits above ours. */
const programs = {
  nginx: {
    files: ["/usr/sbin/nginx"],
    arguments: (/** @type {string} */ folder) => [
      "-p",
      folder,
      "-c",
      join(folder, "conf"),
      "-e",
      join(folder, "error"),
    ],
    configuration: (/** @type {Ports} */ ports, /** @type {string} */ folder) => `
daemon off;
master_process off;
pid ${folder}/pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_header_buffer_size 64k;
  large_client_header_buffers 8 64k;
  underscores_in_headers on;
  ignore_invalid_headers off;
  merge_slashes off;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${ports.requests};
    location / {
      proxy_pass http://127.0.0.1:${ports.recorder};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
    }
  }
  server {
    listen 127.0.0.1:${ports.answers};
    location / {
      proxy_pass http://127.0.0.1:${ports.answerer};
      proxy_http_version 1.1;
    }
  }
}
`,
  },
  haproxy: {
    files: ["/usr/sbin/haproxy"],
    arguments: (/** @type {string} */ folder) => ["-db", "-f", join(folder, "conf")],
    configuration: (/** @type {Ports} */ ports) => `
global
  nbthread 1
  maxconn 512
  tune.bufsize 131072
  tune.http.maxhdr 1024
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  timeout http-request 5s
frontend requests
  bind 127.0.0.1:${ports.requests}
  default_backend recorder
backend recorder
  server recorder 127.0.0.1:${ports.recorder}
frontend answers
  bind 127.0.0.1:${ports.answers}
  default_backend answerer
backend answerer
  http-reuse never
  server answerer 127.0.0.1:${ports.answerer}
`,
  },
};

/** Names of the peers that there are. */
export const peerNames = /** @type {(keyof typeof programs)[]} */ (Object.keys(programs));

/** Where a peer's program lies, if it is installed. @param {keyof typeof programs} name */
const programOf = (name) => programs[name].files.find((file) => existsSync(file));

/** Starts a peer; undefined where it is not installed. @param {keyof typeof programs} name @returns {Promise<Peer | undefined>} */
export async function startPeer(name) {
  const file = programOf(name);
  if (file === undefined) return undefined;
  const program = programs[name];
  const folder = await temporaryDirectory();
  const recorder = await startRecorder();
  const answerer = await startAnswerer();
  const ports = {
    ...{ requests: await freePort(), answers: await freePort() },
    ...{ recorder: recorder.port, answerer: answerer.port },
  };
  writeFileSync(join(folder.path, "conf"), program.configuration(ports, folder.path));
  const process = await startProcess(file, program.arguments(folder.path));
  await until(() => canConnect(ports.answers), { what: `${name} to listen: ${process.stderr}` });
  return {
    name,
    understand: (bytes, options) => understand(bytes, ports.requests, recorder, options),
    understandAnswer: (bytes, { method }) => understandAnswer(bytes, method, ports.answers, answerer),
    same: sameMeaning,
    // Before 1.29 it took an interim answer for the answer.
    knowsInterim: name !== "nginx",
    close: async () => {
      await process.stop();
      await recorder.close();
      await answerer.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** @param {number} port @returns {Promise<boolean>} */
function canConnect(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const tell = (/** @type {boolean} */ can) => () => {
      socket.destroy();
      resolve(can);
    };
    socket.once("connect", tell(true)).once("error", tell(false));
  });
}

/**
 * @param {Buffer} bytes @param {number} port @param {import("./recorder.mjs").Recorder} recorder
 * @param {{ closes?: boolean }} [options]
 * @returns {Promise<Understanding>}
 */
async function understand(bytes, port, recorder, { closes = false } = {}) {
  recorder.take();
  const client = await rawClient(port);
  client.write(closes ? bytes : Buffer.concat([bytes, sentinel]));
  const timer = setTimeout(() => client.socket.destroy(), patienceMs);
  await client.closed;
  clearTimeout(timer);
  const answers = client.received.toString("latin1");
  await client[Symbol.asyncDispose]();
  const { messages } = recorder.take();
  const found = messages.findIndex(({ target }) => target === sentinelTarget);
  const before = found === -1 ? messages : messages.slice(0, found);
  if (closes || found !== -1) {
    const refusal = /^HTTP\/1\.. ([45]\d\d)/m.exec(answers)?.[1];
    return refusal === undefined
      ? { messages: before, end: closes ? "closed" : "open" }
      : { messages: before, end: "refused", reason: refusal };
  }
  const status = [...answers.matchAll(/^HTTP\/1\.. (\d\d\d)/gm)].at(-1)?.[1];
  return { messages: before, end: "refused", reason: status ?? "no answer" };
}

/**
 * @param {Buffer} bytes @param {string} method @param {number} port @param {import("./answerer.mjs").Answerer} answerer
 * @returns {Promise<Understanding>}
 */
async function understandAnswer(bytes, method, port, answerer) {
  answerer.answer = { bytes, cut: 0, ends: true };
  const client = await rawClient(port);
  client.write(`${method} / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  const timer = setTimeout(() => client.socket.destroy(), patienceMs);
  await client.closed;
  clearTimeout(timer);
  await client[Symbol.asyncDispose]();
  const statusOf = (/** @type {typeof message} */ one) => Number(one?.startLine.split(" ")[1] ?? 0);
  let message = readMessage(client.received, 0, { method, ended: true });
  // Interim answers are handed on.
  while (message !== undefined && statusOf(message) < 200) {
    message = readMessage(client.received, message.end, { method, ended: true });
  }
  const status = statusOf(message);
  if (message === undefined || status === 502)
    return { messages: [], end: "refused", reason: String(status) };
  const understood = { status, version: "1.1", headers: lowerNames(message.headers), trailers: [] };
  const body = message.content.toString("latin1");
  return { messages: [{ ...understood, body, complete: true }], end: "closed" };
}

/** What a proxy may not change of an answer. @param {Message} ours @param {Message} theirs */
export function sameAnswer(ours, theirs) {
  return unequal(ours, theirs, ["status", "body"]);
}

/** Lines that a proxy takes away, adds or merges on its own account. */
const ownNames = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "content-length",
  "transfer-encoding",
  "host",
]);

/**
 * What proxies may not change, however they write it: the method, the path, the lines that are meant for others, the body.
 * @param {Message} ours @param {Message} theirs
 */
function sameMeaning(ours, theirs) {
  const named = ours.headers
    .filter(([name]) => name === "connection")
    .flatMap(([, value]) => value.split(",").map((token) => token.trim().toLowerCase()));
  const own = new Set([...ownNames, ...named]);
  return unequal(meaningOf(ours, own), meaningOf(theirs, own), ["method", "target", "headers", "body"]);
}

/** @param {Message} message @param {ReadonlySet<string>} own @returns {Message} */
function meaningOf(message, own) {
  const headers = message.headers.filter(([name]) => !own.has(name));
  const target = message.target?.replace(/^[a-z]+:\/\/[^/?]*/i, "") ?? "";
  return { ...message, headers, target: target.startsWith("/") || target === "*" ? target : `/${target}` };
}
