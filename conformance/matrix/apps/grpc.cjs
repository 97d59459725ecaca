// @ts-check
// The library on both sides: the service calls a gRPC server in its own process, which sees the metadata that came, and
// the context that its handler runs in.
const http = require("node:http");
const { context } = require("@clew/context");
const { checkMethod } = require("../../soak/grpc-method.cjs");
const listen = require("./listen.cjs");

/** @param {import("../service.cjs").Kit} kit */
module.exports = async ({ load, handle }) => {
  const { Client, credentials, Server, ServerCredentials } = load("@grpc/grpc-js");
  const server = new Server();
  server.addService(
    { check: checkMethod },
    {
      check(/** @type {any} */ call, /** @type {any} */ answer) {
        const headers = { ...call.metadata.getMap(), "tenant-in-handler": context.get("tenant_id") };
        answer(null, JSON.stringify({ headers }));
      },
    },
  );
  const insecure = ServerCredentials.createInsecure();
  const port = await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", insecure, (/** @type {unknown} */ error, /** @type {number} */ bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  // Newer versions start by themselves, and warn when they are told to.
  if (Number(load("@grpc/grpc-js/package.json").version.split(".")[1]) < 10) server.start();
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = checkMethod;
  const call = () =>
    new Promise((resolve, reject) => {
      const done = (/** @type {unknown} */ error, /** @type {string} */ text) =>
        error ? reject(error) : resolve(JSON.parse(text));
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, "?", done);
    });
  const serve = async (/** @type {http.ServerResponse} */ response) => {
    response.end(JSON.stringify(await handle([call])));
  };
  return listen(http.createServer((_request, response) => void serve(response)));
};
