// @ts-check
// node:http with an agent of few sockets: most requests wait for one, and leave from another request's callback.
const http = require("node:http");

/** @param {{ http1: number }} receivers */
function create({ http1: port }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  return (/** @type {string} */ label) =>
    new Promise((resolve, reject) => {
      http
        .get({ host: "127.0.0.1", port, path: `/${label}`, agent }, (response) =>
          response.resume().on("end", resolve),
        )
        .on("error", reject);
    });
}

exports.keepAlive = { inbound: /** @type {const} */ ("keep-alive"), create };
exports.pipelined = { inbound: /** @type {const} */ ("pipelined"), create };
