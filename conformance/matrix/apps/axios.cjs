// @ts-check
const http = require("node:http");
const listen = require("./listen.cjs");

/** @param {import("../service.cjs").Kit} kit */
module.exports = ({ load, receiver, handle }) => {
  const axios = load("axios");
  const calls = [async () => (await axios.get(receiver)).data];
  const serve = async (/** @type {http.ServerResponse} */ response) => {
    response.end(JSON.stringify(await handle(calls)));
  };
  return listen(http.createServer((_request, response) => void serve(response)));
};
