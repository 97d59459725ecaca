import { z } from "zod";
import { type GatewaySection, gatewaySection } from "./gateway-section.ts";
import { hostPort, limitMs, name } from "./names.ts";

interface PortSection {
  readonly listen: string;
  readonly upstream: string;
  readonly protocol?: "auto" | "http1" | "tcp" | undefined;
}

/** Limits of time in ms, those that are set. */
export interface ServiceLimitsSection {
  readonly answerTimeoutMs?: number | undefined;
  readonly answerIdleTimeoutMs?: number | undefined;
  readonly clientStallTimeoutMs?: number | undefined;
}

interface ServiceSection {
  readonly run?: string | undefined;
  readonly cwd?: string | undefined;
  readonly propagate?: boolean | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly limits?: ServiceLimitsSection | undefined;
  readonly ports: Readonly<Record<string, PortSection>>;
}

/** `clew.yaml` as it stands in the file, once environment and defaults are laid over and under it. */
export interface ConfigFile {
  readonly environment: string;
  readonly manager: {
    readonly listen: string;
    readonly state: string;
    readonly registry: "memory" | { readonly etcd: readonly string[]; readonly prefix: string };
    readonly tokenFile?: string | undefined;
    readonly advertise?: string | undefined;
    readonly routingKeys: "open" | "signed";
  };
  readonly gateway?: GatewaySection | undefined;
  readonly metrics?: { readonly listen?: string | undefined } | undefined;
  readonly services: Readonly<Record<string, ServiceSection>>;
  readonly welcome?: readonly string[] | undefined;
}

const portSection: z.ZodType<PortSection> = z.strictObject({
  listen: hostPort.describe("host:port where the agent listens: what other services and the gateway call"),
  upstream: hostPort.describe("host:port where the service itself listens"),
  protocol: z
    .enum(["auto", "http1", "tcp"], { error: "is none of auto, http1 and tcp (h2c is not there yet)" })
    .optional()
    .describe("what is spoken on the port; tcp passes whole connections on, whatever they say; default auto"),
});

// None is on by default: each would break something that somebody waits for on purpose, and that worked before the agent was there.
const serviceLimitsSection: z.ZodType<ServiceLimitsSection> = z.strictObject({
  answerTimeoutMs: limitMs
    .optional()
    .describe(
      "ms from the end of a request to the beginning of the service's answer; then the agent answers 504 (E_ANSWER_TIMEOUT). " +
        "Not for overrides, where somebody may sit at a breakpoint. Default none: a long poll is answered late on purpose",
    ),
  answerIdleTimeoutMs: limitMs
    .optional()
    .describe(
      "ms of silence in the middle of the service's answer, while the client takes it; then the answer is broken off. " +
        "Not after an upgrade, nor for overrides. Default none: a stream of events may be silent for long",
    ),
  clientStallTimeoutMs: limitMs
    .optional()
    .describe(
      "ms in which a client takes nothing of what waits for it; then its connection is broken off. " +
        "Default none: callers are one's own services, and one of them may stand at a breakpoint",
    ),
});

const serviceSection: z.ZodType<ServiceSection> = z.strictObject({
  run: z
    .string()
    .min(1)
    .optional()
    .describe("command that `clew up` starts and supervises, with HOST, PORT and CLEW_SERVICE set"),
  cwd: z
    .string()
    .optional()
    .describe("folder in which `run` starts, relative to this file; default: this file's"),
  propagate: z
    .boolean()
    .optional()
    .describe("load @clew/node into a service that runs on Node; default true"),
  env: z
    .record(z.string(), z.string())
    .optional()
    .describe("environment of the service; {name.port} stands for the host:port of that service's agent"),
  limits: serviceLimitsSection
    .optional()
    .describe(
      "how long requests may wait, on ports of HTTP; a limit bites up to 2 s late; default: for ever",
    ),
  ports: z
    .record(name, portSection)
    .refine((ports) => Object.keys(ports).length > 0, "needs at least one port")
    .describe("the service's ports, by name"),
});

const managerSection: z.ZodType<ConfigFile["manager"]> = z.strictObject({
  listen: hostPort.describe("host:port of the manager"),
  state: z.string().describe("folder of the embedded registry, relative to this file"),
  registry: z
    .union([
      z.literal("memory"),
      z.strictObject({ etcd: z.array(z.url()).min(1), prefix: z.string().startsWith("/") }),
    ])
    .describe("memory (embedded, with a journal on disk), or { etcd: [URL, …], prefix: /… } to share it"),
  tokenFile: z
    .string()
    .optional()
    .describe("file with the secret that every client must show; required to listen beyond loopback"),
  advertise: hostPort
    .optional()
    .describe("host:port at which others reach the manager; required when it listens on all addresses"),
  routingKeys: z
    .enum(["open", "signed"], { error: "is neither open nor signed" })
    .describe(
      "open: routing keys are plain route names, which everybody can guess; signed: the manager signs them. " +
        "Default: open when the manager listens on loopback and has no token, else signed",
    ),
});

export const configSchema: z.ZodType<ConfigFile> = z.strictObject({
  environment: name.describe("name that routing keys are made for"),
  manager: managerSection,
  gateway: gatewaySection.optional(),
  metrics: z
    .strictObject({
      listen: hostPort
        .optional()
        .describe(
          "host:port of /metrics (Prometheus), /healthz and /readyz; default: none. Processes of one machine need one each",
        ),
    })
    .optional(),
  services: z.record(name, serviceSection).describe("the services, by name"),
  welcome: z.array(z.string()).optional().describe("commands that `clew up` suggests when everything runs"),
});
