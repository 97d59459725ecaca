export type { ManagerClock } from "./clock.ts";
export { defaultManagerLimits, type ManagerLimits } from "./limits.ts";
export { ManagerError } from "./manager-error.ts";
export { createEtcdRegistry, type EtcdRegistryOptions } from "./registry/etcd.ts";
export {
  createMemoryRegistry,
  type MemoryRegistryLimits,
  type MemoryRegistryOptions,
} from "./registry/memory.ts";
export type { Registry } from "./registry/registry.ts";
export { RegistryError, type RegistryErrorCode } from "./registry/registry-error.ts";
export type { RegistryReport } from "./registry/report.ts";
export { type Manager, type ManagerOptions, startManager } from "./start-manager.ts";
