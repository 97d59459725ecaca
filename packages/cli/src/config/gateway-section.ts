import { resolve } from "node:path";
import { httpUrl, number, record, wholeNumber } from "@clew/control/shapes";
import type { Endpoint } from "@clew/tunnel";
import * as v from "valibot";
import { parseEndpoint } from "./config.ts";
import { hostPort, limitMs, name, optionalSetting, section, setting } from "./names.ts";

interface IngressSection {
  readonly service?: string | undefined;
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  readonly ca?: string | undefined;
}

interface PartnerSection {
  readonly accept: readonly string[];
  readonly addresses?: readonly string[] | undefined;
  readonly certificate?: string | undefined;
}

interface CertificateSection {
  readonly cert: string;
  readonly key: string;
  readonly hosts?: readonly string[] | undefined;
}

interface TlsSection {
  readonly certificates: readonly CertificateSection[];
  readonly clientCa?: string | undefined;
}

interface RateSection {
  readonly perSecond: number;
  readonly burst: number;
}

interface LimitsSection {
  readonly previewRequests?: RateSection | undefined;
  readonly passwordTriesPerClient?: RateSection | undefined;
  readonly passwordTriesPerPreview?: RateSection | undefined;
  readonly clientStallTimeoutMs?: number | undefined;
}

/** The gateway's section as it stands in the file. */
export interface GatewaySection {
  readonly listen: string;
  readonly ingress: string;
  readonly ingressHost?: string | undefined;
  readonly ingresses?: Readonly<Record<string, IngressSection>> | undefined;
  readonly previews: string;
  readonly previewUrl?: string | undefined;
  readonly accept: readonly string[];
  readonly partners?: Readonly<Record<string, PartnerSection>> | undefined;
  readonly tls?: TlsSection | undefined;
  readonly accessLog?: string | undefined;
  readonly limits?: LimitsSection | undefined;
}

/** With addresses parsed and paths absolute. */
export interface GatewayConfig extends Omit<GatewaySection, "listen"> {
  readonly listen: Endpoint;
}

const host: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(
    /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?$/,
    "is not a host name, such as shop.example",
  ),
);
const text: v.GenericSchema<string> = v.pipe(v.string(), v.minLength(1));
const texts: v.GenericSchema<string[]> = v.array(v.string());

const ingressSection: v.GenericSchema<IngressSection> = v.pipe(
  section({
    service: optionalSetting(name, "service of this file whose agent it leads to"),
    url: optionalSetting(httpUrl, "http:// or https:// address it leads to, in place of a service"),
    host: optionalSetting(host, "host that is asked for there, in place of the preview's own"),
    ca: optionalSetting(
      text,
      "PEM file of the authorities of its certificate; default: those that Node trusts",
    ),
  }),
  v.check(
    ({ service, url }) => (service === undefined) !== (url === undefined),
    "needs exactly one of service and url",
  ),
);

const rate = (what: string): v.OptionalSchema<v.GenericSchema<RateSection>, undefined> =>
  optionalSetting(
    section({
      perSecond: v.pipe(number, v.gtValue(0)),
      burst: v.pipe(wholeNumber, v.gtValue(0)),
    }),
    `{ perSecond, burst }: ${what}`,
  );

const limitsSection: v.GenericSchema<LimitsSection> = section({
  previewRequests: rate("requests of one preview; default 200 a second, 1000 at once"),
  passwordTriesPerClient: rate(
    "wrong passwords of one client for one preview; default 5 at once, one more every 12 s",
  ),
  passwordTriesPerPreview: rate(
    "wrong passwords of all clients for one preview; default 100 at once, one more every 6 s",
  ),
  clientStallTimeoutMs: optionalSetting(
    limitMs,
    "ms in which a client takes nothing of what waits for it; then its connection is broken off, up to 2 s late. " +
      "Default none: a browser at a breakpoint takes nothing either; 60000 suits a gateway that strangers reach",
  ),
});

const partnerSection: v.GenericSchema<PartnerSection> = v.pipe(
  section({
    accept: setting(v.pipe(texts, v.minLength(1)), "fields that are believed when they come from it"),
    addresses: optionalSetting(texts, "addresses and networks that it asks from, such as 198.51.100.0/24"),
    certificate: optionalSetting(
      v.string(),
      "common name in its client certificate, which `gateway.tls.clientCa` signed",
    ),
  }),
  v.check(
    ({ addresses = [], certificate }) => addresses.length > 0 || certificate !== undefined,
    "needs addresses or a certificate, by which it is told from anybody else",
  ),
);

const certificateSection: v.GenericSchema<CertificateSection> = section({
  cert: setting(text, "PEM file of the certificate with its chain"),
  key: setting(text, "PEM file of its key"),
  hosts: optionalSetting(texts, "names it is for, such as *.preview.example"),
});

const tlsSection: v.GenericSchema<TlsSection> = section({
  certificates: setting(
    v.pipe(v.array(certificateSection), v.minLength(1)),
    "[{ cert, key, hosts }]: PEM files, read again when they change and on SIGHUP; the first one is for all other names",
  ),
  clientCa: optionalSetting(text, "PEM file of the authorities of partners' client certificates"),
});

export const gatewaySection: v.GenericSchema<GatewaySection> = section({
  listen: setting(hostPort, "host:port of the gateway"),
  ingress: setting(name, "service that the gateway leads to"),
  ingressHost: optionalSetting(host, "host that previews ask the ingress for, in place of their own"),
  ingresses: optionalSetting(
    record(name, ingressSection),
    "other ways into the system, for previews that name one",
  ),
  previews: setting(v.string(), "domain below which previews have their host names"),
  previewUrl: optionalSetting(
    v.pipe(v.string(), v.includes("{slug}", "has no {slug} in it")),
    "what people are told of previews' addresses, with {slug} in it: behind another gateway https://{slug}.preview.example/, " +
      "without names for previews https://shop.example/_preview/{slug}; default: by `previews` and `listen`",
  ),
  accept: setting(texts, "fields that are believed when they come from outside"),
  partners: optionalSetting(record(name, partnerSection), "who is believed more than others, by name"),
  tls: optionalSetting(tlsSection, "with it, only TLS is spoken where the gateway listens"),
  accessLog: optionalSetting(
    text,
    "stdout, or a file: a line of JSON for each request; a file is opened anew on SIGHUP",
  ),
  limits: optionalSetting(limitsSection, "how much previews and clients may ask for, and how long"),
});

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

export function checkGateway(gateway: GatewaySection, services: readonly string[]): Fault[] {
  const check = (path: readonly string[], service: string | undefined): Fault[] =>
    service === undefined || services.includes(service)
      ? []
      : [{ path: ["gateway", ...path], message: `no service ${service}; there are: ${services.join(", ")}` }];
  const ingresses = Object.entries(gateway.ingresses ?? {});
  return [
    ...check(["ingress"], gateway.ingress),
    ...ingresses.flatMap(([ingress, { service }]) => check(["ingresses", ingress, "service"], service)),
  ];
}

export function resolveGateway(folder: string, gateway: GatewaySection): GatewayConfig {
  const { tls, accessLog, ingresses } = gateway;
  const absolute = (path: string): string => resolve(folder, path);
  return {
    ...gateway,
    listen: parseEndpoint(gateway.listen),
    ingresses:
      ingresses &&
      Object.fromEntries(
        Object.entries(ingresses).map(([ingress, { ca, ...rest }]) => [
          ingress,
          { ...rest, ca: ca && absolute(ca) },
        ]),
      ),
    tls: tls && {
      certificates: tls.certificates.map(({ cert, key, hosts }) => ({
        cert: absolute(cert),
        key: absolute(key),
        hosts,
      })),
      clientCa: tls.clientCa && absolute(tls.clientCa),
    },
    accessLog: accessLog === undefined || accessLog === "stdout" ? accessLog : absolute(accessLog),
  };
}
