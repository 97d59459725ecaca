import { record, wordOr } from "@clew/control/shapes";
import * as v from "valibot";
import { type GatewaySection, gatewaySection } from "./gateway-section.ts";
import { hostPort, limitMs, name, optionalSetting, section, setting } from "./names.ts";

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

const portSection: v.GenericSchema<PortSection> = section({
  listen: setting(hostPort, "host:port where the agent listens: what other services and the gateway call"),
  upstream: setting(hostPort, "host:port where the service itself listens"),
  protocol: optionalSetting(
    v.picklist(["auto", "http1", "tcp"], "is none of auto, http1 and tcp (h2c is not there yet)"),
    "what is spoken on the port: http1, which is all that auto means so far, or tcp, which passes whole connections on, whatever they say; default auto",
  ),
});

// None is on by default: each would break something that somebody waits for on purpose, and that worked before the agent was there.
const serviceLimitsSection: v.GenericSchema<ServiceLimitsSection> = section({
  answerTimeoutMs: optionalSetting(
    limitMs,
    "ms from the end of a request to the beginning of the service's answer; then the agent answers 504 (E_ANSWER_TIMEOUT). " +
      "Not for overrides, where somebody may sit at a breakpoint. Default none: a long poll is answered late on purpose",
  ),
  answerIdleTimeoutMs: optionalSetting(
    limitMs,
    "ms of silence in the middle of the service's answer, while the client takes it; then the answer is broken off. " +
      "Not after an upgrade, nor for overrides. Default none: a stream of events may be silent for long",
  ),
  clientStallTimeoutMs: optionalSetting(
    limitMs,
    "ms in which a client takes nothing of what waits for it; then its connection is broken off. " +
      "Default none: callers are one's own services, and one of them may stand at a breakpoint",
  ),
});

const serviceSection: v.GenericSchema<ServiceSection> = section({
  run: optionalSetting(
    v.pipe(v.string(), v.minLength(1)),
    "command that `clew up` starts and supervises, with HOST, PORT and CLEW_SERVICE set",
  ),
  cwd: optionalSetting(
    v.string(),
    "folder in which `run` starts, relative to this file; default: this file's",
  ),
  propagate: optionalSetting(v.boolean(), "load @clew/node into a service that runs on Node; default true"),
  env: optionalSetting(
    record(v.string(), v.string()),
    "environment of the service; {name.port} stands for the host:port of that service's agent",
  ),
  limits: optionalSetting(
    serviceLimitsSection,
    "how long requests may wait, on ports of HTTP; a limit bites up to 2 s late; default: for ever",
  ),
  ports: setting(
    v.pipe(
      record(name, portSection),
      v.check((ports) => Object.keys(ports).length > 0, "needs at least one port"),
    ),
    "the service's ports, by name",
  ),
});

const etcdSection: v.GenericSchema<{ etcd: string[]; prefix: string }> = section({
  etcd: v.pipe(v.array(v.pipe(v.string(), v.trim(), v.url("is not a URL"))), v.minLength(1)),
  prefix: v.pipe(v.string(), v.startsWith("/", "does not begin with /")),
});

const managerSection: v.GenericSchema<ConfigFile["manager"]> = section({
  listen: setting(hostPort, "host:port of the manager"),
  state: setting(v.string(), "folder of the embedded registry, relative to this file"),
  registry: setting(
    wordOr("memory", etcdSection, "is neither memory nor { etcd: [URL, …], prefix: /… }"),
    "memory (embedded, with a journal on disk), or { etcd: [URL, …], prefix: /… } to share it",
  ),
  tokenFile: optionalSetting(
    v.string(),
    "file with the secret that every client must show; required to listen beyond loopback",
  ),
  advertise: optionalSetting(
    hostPort,
    "host:port at which others reach the manager; required when it listens on all addresses",
  ),
  routingKeys: setting(
    v.picklist(["open", "signed"], "is neither open nor signed"),
    "open: routing keys are plain route names, which everybody can guess; signed: the manager signs them. " +
      "Default: open when the manager listens on loopback and has no token, else signed",
  ),
});

export const configSchema: v.GenericSchema<ConfigFile> = section({
  environment: setting(name, "name that routing keys are made for"),
  manager: managerSection,
  gateway: v.optional(gatewaySection),
  metrics: v.optional(
    section({
      listen: optionalSetting(
        hostPort,
        "host:port of /metrics (Prometheus), /healthz and /readyz; default: none. Processes of one machine need one each",
      ),
    }),
  ),
  services: setting(record(name, serviceSection), "the services, by name"),
  welcome: optionalSetting(v.array(v.string()), "commands that `clew up` suggests when everything runs"),
});
