// An application that uses @grpc/grpc-js before it registers propagation, and goes on with the clients it has.
import * as grpc from "@grpc/grpc-js";
import { startPeers } from "./grpc-call.ts";

const peers = await startPeers(grpc);
const answers = [await peers.call("a")];
const { register } = await import("../../api.ts");
const registration = register({ service: "late", warnMissing: false });
answers.push(await peers.call("a"));
registration.disable();
answers.push(await peers.call("a"));
register({ service: "again", warnMissing: false });
answers.push(await peers.call("a"));
process.stdout.write(`${answers.join(", ")}\n`);
peers.close();
