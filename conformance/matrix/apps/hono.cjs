// @ts-check
const listen = require("./listen.cjs");

/** @param {import("../service.cjs").Kit} kit */
module.exports = ({ load, handle }) => {
  const { Hono } = load("hono");
  const { createAdaptorServer } = load("@hono/node-server");
  const app = new Hono();
  app.post("/", async (/** @type {any} */ c) => {
    await c.req.json();
    return c.json(await handle());
  });
  return listen(createAdaptorServer({ fetch: app.fetch }));
};
