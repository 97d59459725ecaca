export { freePort } from "./free-port.ts";
export { type RawClient, rawClient, rawExchange } from "./raw-client.ts";
export { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";
export { type ProcessExit, type ProcessOptions, startProcess, type TestProcess } from "./test-process.ts";
export { type UntilOptions, until } from "./until.ts";
export {
  type Echo,
  startUpstream,
  type Upstream,
  type UpstreamFault,
  type UpstreamOptions,
} from "./upstream.ts";
