import { resolve } from "node:path";
import type { Endpoint } from "@clew/tunnel";
import { z } from "zod";
import { parseEndpoint } from "./config.ts";
import { hostPort, limitMs, name } from "./names.ts";

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

const host: z.ZodType<string> = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/i, "is not a host name, such as shop.example");
const file: z.ZodType<string> = z.string().min(1);

const ingressSection: z.ZodType<IngressSection> = z
  .strictObject({
    service: name.optional().describe("service of this file whose agent it leads to"),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("http:// or https:// address it leads to, in place of a service"),
    host: host.optional().describe("host that is asked for there, in place of the preview's own"),
    ca: file
      .optional()
      .describe("PEM file of the authorities of its certificate; default: those that Node trusts"),
  })
  .refine(
    ({ service, url }) => (service === undefined) !== (url === undefined),
    "needs exactly one of service and url",
  );

const rate = (what: string): z.ZodType<RateSection | undefined> =>
  z
    .strictObject({ perSecond: z.number().positive(), burst: z.int().positive() })
    .optional()
    .describe(`{ perSecond, burst }: ${what}`);

const limitsSection: z.ZodType<LimitsSection> = z.strictObject({
  previewRequests: rate("requests of one preview; default 200 a second, 1000 at once"),
  passwordTriesPerClient: rate(
    "wrong passwords of one client for one preview; default 5 at once, one more every 12 s",
  ),
  passwordTriesPerPreview: rate(
    "wrong passwords of all clients for one preview; default 100 at once, one more every 6 s",
  ),
  clientStallTimeoutMs: limitMs
    .optional()
    .describe(
      "ms in which a client takes nothing of what waits for it; then its connection is broken off, up to 2 s late. " +
        "Default none: a browser at a breakpoint takes nothing either; 60000 suits a gateway that strangers reach",
    ),
});

const partnerSection: z.ZodType<PartnerSection> = z
  .strictObject({
    accept: z.array(z.string()).min(1).describe("fields that are believed when they come from it"),
    addresses: z
      .array(z.string())
      .optional()
      .describe("addresses and networks that it asks from, such as 198.51.100.0/24"),
    certificate: z
      .string()
      .optional()
      .describe("common name in its client certificate, which `gateway.tls.clientCa` signed"),
  })
  .refine(
    ({ addresses = [], certificate }) => addresses.length > 0 || certificate !== undefined,
    "needs addresses or a certificate, by which it is told from anybody else",
  );

const tlsSection: z.ZodType<TlsSection> = z.strictObject({
  certificates: z
    .array(
      z.strictObject({
        cert: file.describe("PEM file of the certificate with its chain"),
        key: file.describe("PEM file of its key"),
        hosts: z.array(z.string()).optional().describe("names it is for, such as *.preview.example"),
      }),
    )
    .min(1)
    .describe(
      "[{ cert, key, hosts }]: PEM files, read again when they change and on SIGHUP; the first one is for all other names",
    ),
  clientCa: file.optional().describe("PEM file of the authorities of partners' client certificates"),
});

export const gatewaySection: z.ZodType<GatewaySection> = z.strictObject({
  listen: hostPort.describe("host:port of the gateway"),
  ingress: name.describe("service that the gateway leads to"),
  ingressHost: host.optional().describe("host that previews ask the ingress for, in place of their own"),
  ingresses: z
    .record(name, ingressSection)
    .optional()
    .describe("other ways into the system, for previews that name one"),
  previews: z.string().describe("domain below which previews have their host names"),
  previewUrl: z
    .string()
    .includes("{slug}")
    .optional()
    .describe(
      "what people are told of previews' addresses, with {slug} in it: behind another gateway https://{slug}.preview.example/, " +
        "without names for previews https://shop.example/_preview/{slug}; default: by `previews` and `listen`",
    ),
  accept: z.array(z.string()).describe("fields that are believed when they come from outside"),
  partners: z.record(name, partnerSection).optional().describe("who is believed more than others, by name"),
  tls: tlsSection.optional().describe("with it, only TLS is spoken where the gateway listens"),
  accessLog: z
    .string()
    .min(1)
    .optional()
    .describe("stdout, or a file: a line of JSON for each request; a file is opened anew on SIGHUP"),
  limits: limitsSection.optional().describe("how much previews and clients may ask for, and how long"),
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
