import { isIPv6 } from "node:net";
import { TLSSocket } from "node:tls";
import { isInternalDestination } from "@clew/context";
import type { RequestHead } from "@clew/proxy";

/** Who asks, as far as it can be believed. */
export interface Client {
  /** Of the connection's other end. */
  readonly peer: string | undefined;
  /** The peer is in the same network, as a load balancer is: what it says of others is believed. */
  readonly isInternal: boolean;
  /** The visitor's own, which an internal peer may have told. */
  readonly address: string;
  /** The visitor uses TLS, here or at an internal peer. */
  readonly isSecure: boolean;
  /** The host that the visitor asked for, port included. */
  readonly authority: string;
  /** As browsers write it: `https://host`. */
  readonly origin: string;
}

export function clientOf(head: RequestHead): Client {
  // A socket that listens on both families shows IPv4 peers in IPv6 form.
  const peer = head.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "");
  const isInternal = peer !== undefined && isInternalDestination(peer);
  const told = (name: string): string | undefined => (isInternal ? head.header(name) : undefined);
  const isSecure =
    head.connection instanceof TLSSocket || told("x-forwarded-proto")?.toLowerCase() === "https";
  const authority = head.header("host") ?? "";
  return {
    peer,
    isInternal,
    // The last one is what the internal peer saw itself; those before it anybody can write.
    address: told("x-forwarded-for")?.split(",").at(-1)?.trim() || (peer ?? "unknown"),
    isSecure,
    authority,
    origin: `${isSecure ? "https" : "http"}://${authority.toLowerCase()}`,
  };
}

/** What counts as one client where tries are counted: an IPv6 network of 64 bits, since each home has as much. */
export function countedAs(address: string): string {
  if (!isIPv6(address)) return address;
  const [before = "", after] = address.toLowerCase().split("%", 1)[0]?.split("::") ?? [];
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const zeros = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(zeros).fill("0"), ...tail];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
