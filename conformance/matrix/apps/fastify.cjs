// @ts-check

/** @param {import("../service.cjs").Kit} kit */
module.exports = async ({ load, handle }) => {
  const app = load("fastify")();
  app.post("/", () => handle());
  await app.listen({ port: 0, host: "127.0.0.1" });
  return app.server.address().port;
};
