/** The bytes of an IP address: 4, or 16. IPv4-mapped IPv6 comes back as IPv4. */
export type IpAddress = Uint8Array;

/** Strict forms only: dotted decimal without leading zeros, RFC 4291 §2.2 without brackets; a zone id is ignored. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(":")) return parseIpv4(text);
  const zone = text.indexOf("%");
  const address = parseIpv6(zone < 0 ? text : text.slice(0, zone));
  return address !== undefined && isMapped(address) ? address.subarray(12) : address;
}

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[index] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    const embedded = index === groups.length - 1 && group.includes(".") ? parseIpv4(group) : undefined;
    if (embedded !== undefined) bytes.push(...embedded);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

/** `::ffff:0:0/96`. Source: RFC 4291 §2.5.5.2. */
function isMapped(address: IpAddress): boolean {
  return address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xff && address[11] === 0xff;
}

export interface IpNetwork {
  readonly address: IpAddress;
  /** Length of the prefix. */
  readonly bits: number;
}

/** `10.0.0.0/8`, `fd00::/8`; a plain address is a network of its own. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const maxBits = address.length * 8;
  if (slash < 0) return { address, bits: maxBits };
  const digits = text.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(digits) || Number(digits) > maxBits) return undefined;
  return { address, bits: Number(digits) };
}

export function isInNetwork(address: IpAddress, network: IpNetwork): boolean {
  if (address.length !== network.address.length) return false;
  const wholeBytes = network.bits >> 3;
  for (let i = 0; i < wholeBytes; i++) {
    if (address[i] !== network.address[i]) return false;
  }
  const shift = 8 - (network.bits & 7);
  if (shift === 8) return true;
  return (address[wholeBytes] ?? 0) >> shift === (network.address[wholeBytes] ?? 0) >> shift;
}

/** Whether every address of `inner` is one of `outer`. */
export function containsNetwork(outer: IpNetwork, inner: IpNetwork): boolean {
  return inner.bits >= outer.bits && isInNetwork(inner.address, outer);
}

/** Equal for two networks of the same addresses, however they were written. */
export function networkText({ address, bits }: IpNetwork): string {
  const kept = [...address].map((byte, index) => {
    const left = bits - index * 8;
    return left >= 8 ? byte : left <= 0 ? 0 : byte & (0xff << (8 - left));
  });
  return `${kept.map((byte) => byte.toString(16).padStart(2, "0")).join("")}/${bits}`;
}
