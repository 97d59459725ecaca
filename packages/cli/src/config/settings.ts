import { isLoopbackHost } from "@clew/context";
import { parseEndpoint } from "./config.ts";

/** Values that may come from the environment or a default as well as from the file, with the reason of each default. */
export interface Setting {
  /** Where it stands in clew.yaml. */
  readonly path: readonly [string, ...string[]];
  readonly fallback?: unknown;
  /** A default that depends on other settings of its section, which stand before it in the list. */
  readonly derive?: (section: Readonly<Record<string, unknown>>) => unknown;
}

export const settings: readonly Setting[] = [
  { path: ["environment"], fallback: "local" },
  // 7400 is registered to nobody and free on developers' machines as a rule.
  { path: ["manager", "listen"], fallback: "127.0.0.1:7400" },
  { path: ["manager", "state"], fallback: ".clew/state" },
  { path: ["manager", "registry"], fallback: "memory" },
  { path: ["manager", "tokenFile"] },
  { path: ["manager", "advertise"] },
  // On one's own machine alone is everybody who could guess a route's name the same person.
  {
    path: ["manager", "routingKeys"],
    derive: ({ listen, tokenFile }) =>
      tokenFile === undefined && isLoopbackHost(parseEndpoint(String(listen)).host) ? "open" : "signed",
  },
  { path: ["gateway", "listen"], fallback: "127.0.0.1:8000" },
  { path: ["gateway", "ingress"] },
  { path: ["gateway", "ingressHost"] },
  // `*.localhost` reaches loopback in every browser without any DNS (RFC 6761 §6.3).
  { path: ["gateway", "previews"], fallback: "preview.localhost" },
  { path: ["gateway", "previewUrl"] },
  { path: ["gateway", "accept"], fallback: [] },
  { path: ["gateway", "accessLog"] },
  { path: ["metrics", "listen"] },
];

/** `manager.tokenFile` → `CLEW_MANAGER_TOKEN_FILE`. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((part) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `CLEW_${words.join("_")}`;
}
