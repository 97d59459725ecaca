// @ts-check
// The servers that are compared, and how each is asked for the same thing.
import { forrstFunction } from "./work.mjs";

/**
 * @typedef {import("node:http").Server | { port: number }} Started A server that is to listen yet, or one that does.
 *
 * @typedef {object} Peer
 * @property {string} title
 * @property {boolean} isRpc
 * @property {() => Promise<{ start: () => Started | Promise<Started> }>} load
 * @property {(lines: number) => { path: string, headers?: Record<string, string>, body: unknown }} request
 */

/** @param {number} lines */
const args = (lines) => ({ id: "o-1", lines });

const forrstRequest = (/** @type {number} */ lines) => ({
  path: "/forrst",
  headers: { baggage: "tenant_id=acme,user_id=u-42", "x-forrst-caller": "shop" },
  body: {
    protocol: { name: "forrst", version: "0.1.0" },
    id: "01HZX3NDEKTSV4RRFFQ69G5FAV",
    call: { function: forrstFunction, version: "1.0.0", arguments: args(lines) },
    context: { caller: "shop", tenant_id: "acme", user_id: "u-42" },
    extensions: [
      {
        urn: "urn:cline:forrst:ext:tracing",
        options: { trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", span_id: "00f067aa0ba902b7" },
      },
    ],
  },
});

/** @type {Record<string, Peer>} */
export const peers = {
  bare: {
    title: "node:http + JSON",
    isRpc: false,
    load: () => import("./servers/bare.mjs"),
    request: (lines) => ({ path: "/", body: args(lines) }),
  },
  "bare-envelope": {
    title: "node:http + JSON, our bytes",
    isRpc: false,
    load: () => import("./servers/bare-envelope.mjs"),
    request: forrstRequest,
  },
  clew: { title: "@clew/rpc", isRpc: true, load: () => import("./servers/clew.mjs"), request: forrstRequest },
  "clew-handler": {
    title: "@clew/rpc on node:http",
    isRpc: false,
    load: () => import("./servers/clew-handler.mjs"),
    request: forrstRequest,
  },
  fastify: {
    title: "fastify",
    isRpc: false,
    load: () => import("./servers/fastify.mjs"),
    request: (lines) => ({ path: "/", body: args(lines) }),
  },
  trpc: {
    title: "tRPC standalone",
    isRpc: true,
    load: () => import("./servers/trpc.mjs"),
    request: (lines) => ({ path: "/order", body: args(lines) }),
  },
  connect: {
    title: "Connect, JSON",
    isRpc: true,
    load: () => import("./servers/connect.mjs"),
    request: (lines) => ({
      path: "/bench.Orders/Get",
      headers: { "connect-protocol-version": "1" },
      body: args(lines),
    }),
  },
  jayson: {
    title: "jayson",
    isRpc: true,
    load: () => import("./servers/jayson.mjs"),
    request: (lines) => ({
      path: "/",
      headers: { accept: "application/json" },
      body: { jsonrpc: "2.0", id: "1", method: "order", params: args(lines) },
    }),
  },
};

/** The whole request as it goes over the wire. @param {Peer} peer @param {number} lines */
export function requestText(peer, lines) {
  const { path, headers = {}, body } = peer.request(lines);
  const text = JSON.stringify(body);
  const all = {
    host: "bench",
    "content-type": "application/json",
    ...headers,
    "content-length": Buffer.byteLength(text),
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${head.join("")}\r\n${text}`;
}
