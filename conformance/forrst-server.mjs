// @ts-check
// node conformance/forrst-server.mjs: our server with the functions that the cases ask for, for people and for judges
// that want it in a process of its own. Prints its URLs, and serves until SIGTERM or SIGINT.
import { startServers } from "./forrst/server.mjs";

const servers = await startServers();
process.stdout.write(`urls ${JSON.stringify(servers.urls)}\n`);
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => void servers.close());
