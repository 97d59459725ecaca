import { isInNetwork, parseIpAddress, parseIpNetwork } from "@clew/wire";

const networks = ["127.0.0.0/8", "::1"].map(parseIpNetwork).filter((network) => network !== undefined);

/**
 * Whether a host (no port; IPv6 without brackets) is this machine itself: by address, or by a name that is
 * kept to it. Source: RFC 1122 §3.2.1.3, RFC 6761 §6.3.
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  const address = parseIpAddress(name);
  return address !== undefined && networks.some((network) => isInNetwork(address, network));
}
