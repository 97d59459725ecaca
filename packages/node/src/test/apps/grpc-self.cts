// The same in CommonJS.
const grpc = require("@grpc/grpc-js");

void import("./grpc-call.js").then(async ({ startPeers }) => {
  const peers = await startPeers(grpc);
  process.stdout.write(`${(await Promise.all([peers.call("a"), peers.call("b")])).join(", ")}\n`);
  peers.close();
});
