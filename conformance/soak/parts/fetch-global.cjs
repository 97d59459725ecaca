// @ts-check
// Global fetch behind a global dispatcher of few connections, as applications set it to spare a backend.
const { Agent, setGlobalDispatcher } = require("undici");

/** @type {import("./index.cjs").Part} */
module.exports = {
  inbound: "keep-alive",
  create({ http1: port }) {
    setGlobalDispatcher(new Agent({ connections: 4 }));
    return async (label) => (await fetch(`http://127.0.0.1:${port}/${label}`)).arrayBuffer();
  },
};
