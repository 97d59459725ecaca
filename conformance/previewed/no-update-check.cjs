// Loaded into The Lounge before itself: it would ask GitHub for its own changelog, and end where there is no way out.
const Module = require("node:module");

const load = Module._load;
Module._load = function (request, parent, isMain) {
  const loaded = load.call(this, request, parent, isMain);
  if (/[\\/]changelog$/.test(request) && typeof loaded?.default?.checkForUpdates === "function") {
    loaded.default.checkForUpdates = () => {};
  }
  return loaded;
};
