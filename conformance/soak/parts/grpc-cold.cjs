// @ts-check
// gRPC channels that are still connecting: the calls of many tenants are queued, and leave together.
const { Client, credentials } = require("@grpc/grpc-js");
const { checkMethod } = require("../grpc-method.cjs");

/** How many calls a channel gets before the next ones get a new, cold one. */
const callsPerChannel = 50;

/** @type {import("./index.cjs").Part} */
module.exports = {
  inbound: "keep-alive",
  create({ grpc: port }) {
    // Else a new client would get the connected subchannel of the one before.
    const options = { "grpc.use_local_subchannel_pool": 1 };
    const open = () => ({
      client: new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options),
      started: 0,
      ended: 0,
    });
    let channel = open();
    const { path, requestSerialize, responseDeserialize } = checkMethod;
    return (label) => {
      if (channel.started === callsPerChannel) channel = open();
      const own = channel;
      own.started += 1;
      return new Promise((resolve, reject) => {
        own.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, label, (error) => {
          own.ended += 1;
          if (own.ended === callsPerChannel) own.client.close();
          if (error) reject(error);
          else resolve(undefined);
        });
      });
    };
  },
};
