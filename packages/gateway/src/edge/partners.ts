import { BlockList, isIP } from "node:net";
import { TLSSocket } from "node:tls";
import type { RequestHead } from "@clew/proxy";
import { GatewayError } from "../gateway-error.ts";
import type { Client } from "./client.ts";

/** Somebody outside whose context is believed in part: another company's system, a test runner, a partner's gateway. */
export interface Partner {
  readonly name: string;
  /** Custom fields that are kept from it, besides those kept from everybody. */
  readonly accept: readonly string[];
  /** Addresses and networks (`198.51.100.0/24`) that it asks from: of the connection itself, not what a header says. */
  readonly addresses?: readonly string[] | undefined;
  /** Common name in its client certificate, which an authority of `tls.clientCa` signed. */
  readonly certificate?: string | undefined;
}

/** The first partner that a request comes from. */
export type PartnerOf = (head: RequestHead, client: Client) => Partner | undefined;

/** Throws `E_GATEWAY_PARTNER` for one that nothing tells from others, or whose addresses are none. */
export function createPartners(partners: readonly Partner[]): PartnerOf {
  const known = partners.map((partner) => ({ partner, addresses: addressesOf(partner) }));
  if (known.length === 0) return () => undefined;
  return (head, { peer }) =>
    known.find(({ partner, addresses }) => {
      const isThere = addresses === undefined || (peer !== undefined && contains(addresses, peer));
      const isProven = partner.certificate === undefined || partner.certificate === certifiedName(head);
      return isThere && isProven;
    })?.partner;
}

function addressesOf({ name, addresses, certificate }: Partner): BlockList | undefined {
  if (addresses === undefined || addresses.length === 0) {
    if (certificate !== undefined) return undefined;
    throw new GatewayError("E_GATEWAY_PARTNER", `nothing tells the partner ${name} from anybody else`, {
      hint: "Give its addresses, or the name in its client certificate, or both.",
    });
  }
  const list = new BlockList();
  for (const address of addresses) addAddress(list, name, address);
  return list;
}

function addAddress(list: BlockList, partner: string, text: string): void {
  const [address = "", prefix, ...more] = text.split("/");
  const family = isIP(address);
  const longest = family === 6 ? 128 : 32;
  const length = prefix === undefined ? longest : Number(prefix);
  const isNetwork = /^\d{1,3}$/.test(prefix ?? "0") && length <= longest && more.length === 0;
  if (family === 0 || !isNetwork) {
    throw new GatewayError(
      "E_GATEWAY_PARTNER",
      `the partner ${partner} has the address ${text}, which is none`,
      {
        hint: "Give addresses such as 198.51.100.7, or networks such as 198.51.100.0/24.",
      },
    );
  }
  list.addSubnet(address, length, family === 6 ? "ipv6" : "ipv4");
}

function contains(list: BlockList, peer: string): boolean {
  return list.check(peer, isIP(peer) === 6 ? "ipv6" : "ipv4");
}

/** Undefined without a certificate that was verified. */
function certifiedName({ connection }: RequestHead): string | undefined {
  if (!(connection instanceof TLSSocket) || !connection.authorized) return undefined;
  const subject = connection.getPeerCertificate().subject as Readonly<Record<string, unknown>> | undefined;
  const name = subject?.["CN"];
  return typeof name === "string" ? name : undefined;
}
