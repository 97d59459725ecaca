// @ts-check
const http = require("node:http");
const listen = require("./listen.cjs");

/** @param {import("../service.cjs").Kit} kit */
module.exports = ({ load, receiver, handle }) => {
  const undici = load("undici");
  const pool = new undici.Pool(receiver, { connections: 2 });
  const calls = [
    async () => (await undici.request(receiver)).body.json(),
    async () => (await pool.request({ path: "/", method: "GET" })).body.json(),
    async () => (await undici.fetch(receiver)).json(),
  ];
  const serve = async (/** @type {http.ServerResponse} */ response) => {
    response.end(JSON.stringify(await handle(calls)));
  };
  return listen(http.createServer((_request, response) => void serve(response)));
};
