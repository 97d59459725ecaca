// @ts-check
const http = require("node:http");
const listen = require("./listen.cjs");

/** @param {import("../service.cjs").Kit} kit */
module.exports = ({ load, handle }) => {
  const Koa = load("koa");
  const app = new Koa();
  app.use(async (/** @type {any} */ ctx) => {
    ctx.body = await handle();
  });
  return listen(http.createServer(app.callback()));
};
