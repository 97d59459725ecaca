import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isUnknownMember } from "@clew/control/shapes";
import * as v from "valibot";
import { LineCounter, parseDocument } from "yaml";
import { CliError } from "../errors.ts";
import { type Config, type PortConfig, parseEndpoint, type ServiceConfig } from "./config.ts";
import { checkGateway, resolveGateway } from "./gateway-section.ts";
import { isUnreadable, unknownReferences } from "./references.ts";
import { type ConfigFile, configSchema } from "./schema.ts";
import { environmentName, settings } from "./settings.ts";

type Source = "file" | "default" | `environment ${string}`;

/** One value of the configuration, and where it came from. */
interface ConfigValue {
  readonly path: string;
  readonly value: unknown;
  readonly source: Source;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly values: readonly ConfigValue[];
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * Reads clew.yaml, lays the environment over it and fills in defaults.
 * Throws E_CONFIG_MISSING, E_CONFIG_UNREADABLE, or E_CONFIG_INVALID with every fault at once.
 */
export function loadConfig(file: string, env: Readonly<Record<string, string | undefined>>): LoadedConfig {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: true });
  const [syntax] = document.errors;
  if (syntax) {
    throw new CliError("E_CONFIG_UNREADABLE", `${file} is not valid YAML: ${syntax.message}`, {
      cause: syntax,
    });
  }
  const raw: unknown = document.toJS() ?? {};
  const { merged, sources } = overlay(raw, env);
  const parsed = v.safeParse(configSchema, merged);
  const faults = parsed.success ? crossChecks(parsed.output) : parsed.issues.map(toFault);
  if (!parsed.success || faults.length > 0) {
    throw invalid(file, faults, (path) => {
      const range = path.length > 0 ? nodeRange(document.getIn(path, true)) : undefined;
      return range === undefined ? undefined : lines.linePos(range).line;
    });
  }
  return { config: resolveConfig(file, parsed.output), values: listValues(merged, sources) };
}

/** Settings that a section does not have are told at the section, which is there to be looked at. */
function toFault(issue: v.BaseIssue<unknown>): Fault {
  const keys = (issue.path ?? []).map(({ key }) => key as PropertyKey);
  return { path: isUnknownMember(issue) ? keys.slice(0, -1) : keys, message: issue.message };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CliError("E_CONFIG_MISSING", `cannot read the configuration ${file}: ${String(cause)}`, {
      hint: "Go to the folder of your clew.yaml, or name it: clew up --config FILE",
      cause,
    });
  }
}

/** Position of a YAML node, as far as the parser tells it. */
function nodeRange(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  return Array.isArray(node.range) ? Number(node.range[0]) : undefined;
}

function invalid(
  file: string,
  faults: readonly Fault[],
  lineOf: (path: readonly PropertyKey[]) => number | undefined,
): CliError {
  const shown = faults.map(({ path, message }) => {
    const line = lineOf(path);
    const where = path.length === 0 ? "the file" : path.map(String).join(".");
    return `${where}${line === undefined ? "" : ` (line ${line})`}: ${message}`;
  });
  const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
  return new CliError("E_CONFIG_INVALID", `${file} has ${count}:\n  - ${shown.join("\n  - ")}`, {
    hint: "Every key is described in docs/reference/configuration.md",
  });
}

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The file with environment and defaults laid over and under it. */
function overlay(
  raw: unknown,
  env: Readonly<Record<string, string | undefined>>,
): { merged: unknown; sources: Map<string, Source> } {
  const sources = new Map<string, Source>();
  if (!isTree(raw)) return { merged: raw, sources };
  const merged = structuredClone(raw);
  for (const { path, fallback, derive } of settings) {
    const [section, key] = path;
    // A system without a gateway has none by default.
    if (section === "gateway" && merged["gateway"] === undefined) continue;
    if (key !== undefined) merged[section] ??= {};
    const holder = key === undefined ? merged : merged[section];
    if (!isTree(holder)) continue;
    const name = key ?? section;
    const variable = environmentName(path);
    const given = env[variable];
    if (given !== undefined) {
      holder[name] = Array.isArray(fallback) ? given.split(",").filter((part) => part !== "") : given;
      sources.set(path.join("."), `environment ${variable}`);
      continue;
    }
    const byDefault = fallback ?? derive?.(holder);
    if (holder[name] === undefined && byDefault !== undefined) {
      holder[name] = byDefault;
      sources.set(path.join("."), "default");
    }
  }
  return { merged, sources };
}

/** What a shape alone cannot say: names that must exist, addresses that must differ. */
function crossChecks(file: ConfigFile): Fault[] {
  const faults: Fault[] = [];
  const names = Object.keys(file.services);
  if (file.gateway) faults.push(...checkGateway(file.gateway, names));
  for (const [name, { env = {}, limits, ports }] of Object.entries(file.services)) {
    if (limits !== undefined && Object.values(ports).every(({ protocol }) => protocol === "tcp")) {
      const message = "limits requests, and on ports of protocol tcp there are none";
      faults.push({ path: ["services", name, "limits"], message });
    }
    for (const [variable, value] of Object.entries(env)) {
      const path = ["services", name, "env", variable];
      for (const reference of unknownReferences(value, file.services)) {
        faults.push({ path, message: `{${reference}} names no port of a service in this file` });
      }
      if (isUnreadable(value)) faults.push({ path, message: "has a brace that is not closed" });
    }
  }
  return [...faults, ...sharedAddresses(file)];
}

function sharedAddresses(file: ConfigFile): Fault[] {
  const faults: Fault[] = [];
  const takenBy = new Map<string, string>();
  const claim = (address: string, path: readonly string[]): void => {
    const other = takenBy.get(address);
    if (other !== undefined) faults.push({ path, message: `${address} is also ${other}` });
    else takenBy.set(address, path.join("."));
    const { port } = parseEndpoint(address);
    if (port > 65_535) faults.push({ path, message: `${port} is not a port: 65535 is the highest` });
  };
  claim(file.manager.listen, ["manager", "listen"]);
  if (file.gateway) claim(file.gateway.listen, ["gateway", "listen"]);
  if (file.metrics?.listen !== undefined) claim(file.metrics.listen, ["metrics", "listen"]);
  for (const [service, { ports }] of Object.entries(file.services)) {
    for (const [port, { listen, upstream }] of Object.entries(ports)) {
      claim(listen, ["services", service, "ports", port, "listen"]);
      claim(upstream, ["services", service, "ports", port, "upstream"]);
    }
  }
  return faults;
}

function resolveConfig(file: string, parsed: ConfigFile): Config {
  const folder = dirname(resolve(file));
  const { manager, gateway } = parsed;
  const tokenFile = manager.tokenFile === undefined ? undefined : resolve(folder, manager.tokenFile);
  return {
    file: resolve(file),
    environment: parsed.environment,
    manager: {
      listen: parseEndpoint(manager.listen),
      state: resolve(folder, manager.state),
      registry: manager.registry,
      token: tokenFile === undefined ? undefined : readToken(tokenFile),
      tokenFile,
      routingKeys: manager.routingKeys,
      advertise: manager.advertise ?? manager.listen,
    },
    gateway: gateway && resolveGateway(folder, gateway),
    metrics: parsed.metrics?.listen === undefined ? undefined : parseEndpoint(parsed.metrics.listen),
    services: Object.entries(parsed.services).map(([name, service]) => resolveService(folder, name, service)),
    welcome: parsed.welcome,
  };
}

function resolveService(
  folder: string,
  name: string,
  service: ConfigFile["services"][string],
): ServiceConfig {
  const ports = Object.entries(service.ports).map(
    ([port, { listen, upstream, protocol }]): [string, PortConfig] => [
      port,
      { listen: parseEndpoint(listen), upstream: parseEndpoint(upstream), protocol: protocol ?? "auto" },
    ],
  );
  return {
    name,
    run: service.run,
    cwd: resolve(folder, service.cwd ?? "."),
    propagate: service.propagate ?? true,
    env: service.env ?? {},
    limits: service.limits ?? {},
    ports: Object.fromEntries(ports),
  };
}

/** Reads a secret from its file; surrounding white space is not part of it. */
export function readToken(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new CliError("E_CONFIG_UNREADABLE", `cannot read the token file ${file}: ${String(cause)}`, {
      cause,
    });
  }
  if (token.length >= 16) return token;
  throw new CliError("E_CONFIG_INVALID", `the token in ${file} is shorter than 16 characters`, {
    hint: `Make one: openssl rand -hex 32 > ${file}`,
  });
}

function listValues(merged: unknown, sources: ReadonlyMap<string, Source>, prefix = ""): ConfigValue[] {
  if (!isTree(merged)) return [{ path: prefix, value: merged, source: sources.get(prefix) ?? "file" }];
  return Object.entries(merged).flatMap(([name, value]) =>
    listValues(value, sources, prefix === "" ? name : `${prefix}.${name}`),
  );
}
