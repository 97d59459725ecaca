// @ts-check
// One gRPC method, without a schema: a text goes there, an empty one comes back.

const toBytes = (/** @type {string} */ text) => Buffer.from(text);
const toText = (/** @type {Buffer} */ bytes) => bytes.toString();

exports.checkMethod = {
  path: "/soak.Receiver/Check",
  requestStream: false,
  responseStream: false,
  requestSerialize: toBytes,
  requestDeserialize: toText,
  responseSerialize: toBytes,
  responseDeserialize: toText,
};
