import { createHttpClient } from "../transports/http-client.ts";
import { createHttp2Client } from "../transports/http2-client.ts";
import type { TlsClientOptions } from "../transports/tls-options.ts";
import { createUnixClient } from "../transports/unix-client.ts";
import type { ClientTransport } from "./transport.ts";

const makers: Readonly<Record<string, (url: URL, tls: TlsClientOptions) => ClientTransport>> = {
  "http:": createHttpClient,
  "https:": createHttpClient,
  "h2c:": createHttp2Client,
  "h2:": createHttp2Client,
  "unix:": createUnixClient,
};

/** Whether {@link createTransport} knows the URL's scheme, and the URL says where. */
export function isTransportUrl(url: URL): boolean {
  if (!Object.hasOwn(makers, url.protocol)) return false;
  return url.protocol === "unix:" ? url.host === "" && url.pathname.length > 1 : url.hostname !== "";
}

/** The transport that a URL's scheme names. Only for URLs that {@link isTransportUrl} is true for. */
export function createTransport(url: URL, tls: TlsClientOptions = {}): ClientTransport {
  const make = makers[url.protocol] as (typeof makers)[string];
  return make(url, tls);
}
