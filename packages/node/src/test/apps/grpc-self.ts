// An ESM application that calls itself for two tenants over a channel that is not yet connected.
import * as grpc from "@grpc/grpc-js";
import { startPeers } from "./grpc-call.ts";

const peers = await startPeers(grpc);
process.stdout.write(`${(await Promise.all([peers.call("a"), peers.call("b")])).join(", ")}\n`);
peers.close();
