import { type IpAddress, type IpNetwork, isInNetwork, parseIpAddress, parseIpNetwork } from "@clew/wire";

export interface DestinationPolicy {
  /** `*.example.com` (names below it), `api.example.com`, `10.1.0.0/16`, an address, or `*` for everything. */
  readonly internal?: readonly string[] | undefined;
  /** Whether `internal` stands instead of the default list, not beside it. Default false. */
  readonly replace?: boolean | undefined;
}

/** Loopback, private, link-local and "this host": RFC 1122 §3.2.1.3, RFC 1918, RFC 3927, RFC 4193, RFC 4291. */
const defaultNetworks: readonly string[] = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "0.0.0.0",
  "::1",
  "::",
  "fc00::/7",
  "fe80::/10",
];

const defaultNames: readonly string[] = ["*.local", "*.internal", "*.svc", "*.cluster.local", "*.localhost"];

interface Matcher {
  readonly isSingleLabelInternal: boolean;
  readonly isEverythingInternal: boolean;
  readonly networks: readonly IpNetwork[];
  readonly names: ReadonlySet<string>;
  readonly suffixes: readonly string[];
  /** Answers by host, since a process calls few hosts very often. */
  readonly known: Map<string, boolean>;
}

/** Distinct hosts whose answer is kept; beyond that all are forgotten and looked at anew, which costs about 1 µs each. */
const maxKnownHosts = 1024;

const defaultPolicy: DestinationPolicy = {};
const matchers = new WeakMap<DestinationPolicy, Matcher>();

/**
 * Whether a context may be sent to a host (I5). Host without port; IPv6 with or without brackets. A policy object is
 * read once and must not change. A pattern that is none matches nothing; see {@link isDestinationPattern}.
 */
export function isInternalDestination(host: string, policy: DestinationPolicy = defaultPolicy): boolean {
  let matcher = matchers.get(policy);
  if (matcher === undefined) {
    matcher = createMatcher(policy);
    matchers.set(policy, matcher);
  }
  let isInternal = matcher.known.get(host);
  if (isInternal === undefined) {
    isInternal = matchHost(normaliseHost(host), matcher);
    if (matcher.known.size >= maxKnownHosts) matcher.known.clear();
    matcher.known.set(host, isInternal);
  }
  return isInternal;
}

/** Whether a text can stand in `DestinationPolicy.internal`; for those who check a configuration. */
export function isDestinationPattern(pattern: string): boolean {
  if (pattern === "*" || parseIpNetwork(pattern) !== undefined) return true;
  const name = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  return /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(name) && !isNumericName(name);
}

function createMatcher(policy: DestinationPolicy): Matcher {
  const isReplaced = policy.replace === true;
  const patterns = [
    ...(isReplaced ? [] : [...defaultNetworks, ...defaultNames]),
    ...(policy.internal ?? []).filter(isDestinationPattern),
  ].map(normaliseHost);
  return {
    isSingleLabelInternal: !isReplaced,
    isEverythingInternal: patterns.includes("*"),
    networks: patterns.map(parseIpNetwork).filter((network) => network !== undefined),
    names: new Set(patterns),
    suffixes: patterns.filter((pattern) => pattern.startsWith("*.")).map((pattern) => pattern.slice(1)),
    known: new Map(),
  };
}

function matchHost(host: string, matcher: Matcher): boolean {
  if (matcher.isEverythingInternal) return true;
  const address = parseIpAddress(host);
  if (address !== undefined) return isInAnyNetwork(address, matcher.networks);
  // An address in a form that only a resolver understands, such as 134744072 or 0x8.8: nobody knows where it leads.
  if (host === "" || host.includes(":") || isNumericName(host)) return false;
  if (matcher.isSingleLabelInternal && !host.includes(".")) return true;
  return matcher.names.has(host) || matcher.suffixes.some((suffix) => host.endsWith(suffix));
}

function isInAnyNetwork(address: IpAddress, networks: readonly IpNetwork[]): boolean {
  return networks.some((network) => isInNetwork(address, network));
}

/** Whether resolvers take a name for a number. Source: WHATWG URL, "ends in a number". */
function isNumericName(host: string): boolean {
  return /^(?:[0-9]+|0x[0-9a-f]*)$/i.test(host.slice(host.lastIndexOf(".") + 1));
}

function normaliseHost(host: string): string {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  return (bare.endsWith(".") ? bare.slice(0, -1) : bare).toLowerCase();
}
