/** Values that may come from the environment or a default as well as from the file, with the reason of each default. */
export interface Setting {
  /** Where it stands in clew.yaml. */
  readonly path: readonly [string, ...string[]];
  readonly fallback?: unknown;
}

export const settings: readonly Setting[] = [
  { path: ["environment"], fallback: "local" },
  // 7400 is registered to nobody and free on developers' machines as a rule.
  { path: ["manager", "listen"], fallback: "127.0.0.1:7400" },
  { path: ["manager", "state"], fallback: ".clew/state" },
  { path: ["manager", "registry"], fallback: "memory" },
  { path: ["manager", "tokenFile"] },
  { path: ["manager", "advertise"] },
  { path: ["gateway", "listen"], fallback: "127.0.0.1:8000" },
  { path: ["gateway", "ingress"] },
  // `*.localhost` reaches loopback in every browser without any DNS (RFC 6761 §6.3).
  { path: ["gateway", "previews"], fallback: "preview.localhost" },
  { path: ["gateway", "accept"], fallback: [] },
];

/** `manager.tokenFile` → `CLEW_MANAGER_TOKEN_FILE`. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((part) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `CLEW_${words.join("_")}`;
}
