import { hostOfAuthority } from "./authority.ts";

/** What a channel of `@grpc/grpc-js` knows of where it goes. The default authority has been in either place. */
interface Channel {
  getTarget?(): unknown;
  readonly defaultAuthority?: unknown;
  readonly internalChannel?: { readonly defaultAuthority?: unknown };
}

/** Targets by which nothing leaves the machine. */
const localSchemes: ReadonlySet<string> = new Set(["unix", "unix-abstract", "vsock"]);

/**
 * All hosts that a call passes: those of the channel's target, which is a proxy where one is set, and the one that the call
 * is meant for. Empty for a socket of the file system.
 * Source: gRPC Name Resolution, https://github.com/grpc/grpc/blob/master/doc/naming.md
 */
export function grpcHosts(channel: Channel, authorityOfCall: unknown): readonly string[] {
  const target = String(channel.getTarget?.());
  const [, scheme = "", path = ""] = /^([a-z][a-z0-9+.-]*):(?:\/\/[^/]*\/)?(.+)$/i.exec(target) ?? [
    "",
    "",
    target,
  ];
  if (localSchemes.has(scheme)) return [];
  const authority = authorityOfCall ?? channel.internalChannel?.defaultAuthority ?? channel.defaultAuthority;
  const authorities = [...path.split(","), ...(typeof authority === "string" ? authority.split(",") : [])];
  return [...new Set(authorities.map(hostOfAuthority))];
}
