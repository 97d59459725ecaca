// @ts-check
// A loader that gathers what several requests ask for and fetches it in one go, in the context of the first of them.
// The cure is the documented one: each request's share is bound to the context in which it was asked for.
const { keepAlive } = require("./http.cjs");

/** @returns {<T extends (...args: any[]) => unknown>(share: T) => T} */
function binder() {
  if (process.env["SOAK_CONTROL"]) return (share) => share;
  const { context } = require("@clew/context");
  return (share) => context.bind(share);
}

/** @type {import("./index.cjs").Part} */
module.exports = {
  inbound: "keep-alive",
  create(receivers) {
    const call = keepAlive.create(receivers);
    const bind = binder();
    /** @type {(() => void)[]} */
    let shares = [];
    const runBatch = () => {
      const batch = shares;
      shares = [];
      for (const share of batch) share();
    };
    return (label) =>
      new Promise((resolve, reject) => {
        if (shares.push(bind(() => void call(label).then(resolve, reject))) === 1) setImmediate(runBatch);
      });
  },
};
