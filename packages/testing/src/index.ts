export { startEtcd, type TestEtcd } from "./etcd.ts";
export { freePort } from "./free-port.ts";
export { type PlainMessage, type ReadMessageOptions, readMessage } from "./http-message.ts";
export {
  type RawPeer,
  type RawServer,
  rawClient,
  rawExchange,
  startRawServer,
} from "./raw-connection.ts";
export { startRedis, type TestRedis } from "./redis.ts";
export { registryContract } from "./registry-contract.ts";
export type { RegistryLike, RegistryUnderTest } from "./registry-contract-types.ts";
export { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";
export { type ProcessExit, type ProcessOptions, startProcess, type TestProcess } from "./test-process.ts";
export { transparencyContract } from "./transparency/contract.ts";
export type { Forwarder, TransparencyOptions } from "./transparency/types.ts";
export { type UntilOptions, until } from "./until.ts";
export {
  type Echo,
  startUpstream,
  type Upstream,
  type UpstreamFault,
  type UpstreamOptions,
} from "./upstream.ts";
