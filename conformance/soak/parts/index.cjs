// @ts-check
// The mix. A part says how its requests come in, and makes the function that calls a receiver with a label.

const { keepAlive, pipelined } = require("./http.cjs");

/**
 * @typedef {{ http1: number, http2: number, grpc: number }} Receivers
 * @typedef {{ inbound: "keep-alive" | "pipelined" | "http2", create(receivers: Receivers): (label: string) => Promise<unknown> }} Part
 */

/** @type {Record<string, Part>} */
module.exports = {
  "http-keep-alive": keepAlive,
  "http-pipelined": pipelined,
  "fetch-global": require("./fetch-global.cjs"),
  "undici-pool": require("./undici-pool.cjs"),
  http2: require("./http2.cjs"),
  "grpc-cold": require("./grpc-cold.cjs"),
  batching: require("./batching.cjs"),
};
