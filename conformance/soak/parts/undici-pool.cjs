// @ts-check
// undici's own pool of two connections: what waits is dispatched by whoever frees one.
const { Pool } = require("undici");

/** @type {import("./index.cjs").Part} */
module.exports = {
  inbound: "pipelined",
  create({ http1: port }) {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 2 });
    return async (label) => {
      const { body } = await pool.request({ path: `/${label}`, method: "GET" });
      await body.dump();
    };
  },
};
