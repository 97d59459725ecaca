// @ts-check

/** @param {import("node:net").Server} server @returns {Promise<number>} the port */
module.exports = (server) =>
  new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(/** @type {any} */ (server.address()).port));
  });
