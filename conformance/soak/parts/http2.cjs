// @ts-check
// HTTP/2 on both sides: many requests of many tenants share one session, in and out.
const http2 = require("node:http2");

/** @type {import("./index.cjs").Part} */
module.exports = {
  inbound: "http2",
  create({ http2: port }) {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    return (label) =>
      new Promise((resolve, reject) => {
        session
          .request({ ":path": `/${label}` })
          .on("error", reject)
          .on("end", resolve)
          .resume();
      });
  },
};
