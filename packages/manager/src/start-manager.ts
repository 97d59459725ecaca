import { isLoopbackHost } from "@clew/context";
import type { RoutingKeys } from "@clew/control";
import type { Logger } from "pino";
import { authorityOf, isWildcardHost } from "./authority.ts";
import { type ManagerClock, systemClock } from "./clock.ts";
import type { Core } from "./core.ts";
import { startDirectory } from "./directory.ts";
import { createHttpHandler, createUpgradeHandler } from "./http-handler.ts";
import { defaultManagerLimits, type ManagerLimits } from "./limits.ts";
import { type Listener, startListener } from "./listener.ts";
import { ManagerError } from "./manager-error.ts";
import { createParts } from "./manager-parts.ts";
import { ensurePreviewSecrets } from "./previews/preview-secrets.ts";
import type { Registry } from "./registry/registry.ts";
import { startKeyRing } from "./routing-key.ts";

export interface ManagerOptions {
  /** Port 0 takes a free one. Anything but loopback needs a token. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Name of the environment whose context and services this manager knows. */
  readonly environment: string;
  /** Stays the caller's, who closes it after the manager. */
  readonly registry: Registry;
  /** Every call, agent and CLI must show it. Default: none, and then only loopback is served. */
  readonly token?: string | undefined;
  /** `host:port` at which agents and developers reach this manager. Default: what it listens on. */
  readonly advertise?: string | undefined;
  /**
   * `open`: routing keys are plain route names, which everybody can guess. `signed`: keys are made here, and the key pair
   * is kept in the registry; all managers over one registry must have the same mode.
   */
  readonly routingKeys: RoutingKeys["mode"];
  readonly log: Logger;
  /** Of the program, for `health`. Default "0.0.0". */
  readonly version?: string | undefined;
  readonly limits?: Partial<ManagerLimits> | undefined;
  readonly clock?: ManagerClock | undefined;
}

export interface Manager {
  /** Such as `http://127.0.0.1:7400`. */
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** Refuses what is new, ends watches, lets running calls and tunnel streams finish, and frees the port. State stays in the registry. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** What `close` gives the last writes to the registry, after the grace for calls and streams. */
const settleMs = 1_000;
/** How often expired previews are deleted. 10 s: gateways end them by themselves, this only tidies up. */
const sweepIntervalMs = 10_000;

/**
 * Throws `E_MANAGER_EXPOSED`, `E_MANAGER_ADVERTISE`, `E_MANAGER_KEYS`, `E_MANAGER_LISTEN`, and what the registry throws when it
 * cannot be read.
 */
export async function startManager(options: ManagerOptions): Promise<Manager> {
  assertOptions(options);
  const { registry, log, clock = systemClock } = options;
  const limits = { ...defaultManagerLimits, ...options.limits };
  const directory = await startDirectory({
    registry,
    monotonicMs: () => clock.monotonicMs(),
    onFault: ({ what, key, error }) =>
      log.warn(
        { event: `registry.${what}_fault`, key, err: error },
        what === "watch"
          ? "The registry cannot be watched; what is known is served meanwhile."
          : "A record cannot be read.",
      ),
  });
  try {
    const keys = await startKeyRing({ registry, directory, clock, log }, options);
    await ensurePreviewSecrets({ registry, directory });
    const listener = await startListener({
      listen: options.listen,
      maxConnections: limits.maxConnections,
      onError: (err) => log.warn({ event: "manager.accept_failed", err }, "A connection could not be taken."),
    });
    const relay = options.advertise ?? authorityOf(listener.address.host, listener.address.port);
    return serve(options, { registry, directory, clock, limits, relay, keys, log }, listener);
  } catch (error) {
    await directory.close();
    throw error;
  }
}

function serve(options: ManagerOptions, core: Core, listener: Listener): Manager {
  const { limits, log } = core;
  const { access, rpc, relay, life, previews } = createParts(core, options);
  const { address } = listener;
  const url = `http://${authorityOf(address.host, address.port)}`;
  const { environment } = options;
  const isHealthy = () => core.directory.following;
  listener.serve({
    onRequest: createHttpHandler({ access, rpc, isHealthy, environment }),
    onUpgrade: createUpgradeHandler(access, relay),
    onHttp2: (socket) => relay.handleHttp2(socket),
  });
  const sweeping = setInterval(() => void previews.sweep(), sweepIntervalMs);
  const { mode } = core.keys.told;
  log.info(
    { event: "manager.listen", url, relay: core.relay, environment, keys: mode },
    "The manager listens.",
  );
  if (mode === "open" && !isLoopbackHost(address.host)) {
    log.warn(
      { event: "manager.open_keys" },
      "Whoever reaches an agent can take any route: keys are not signed.",
    );
  }

  const shutDown = async (graceMs: number): Promise<void> => {
    clearInterval(sweeping);
    listener.stop();
    const drained = Promise.all([rpc.close(), relay.close({ graceMs })]).then(() =>
      Promise.all([life.settled(), previews.settled()]),
    );
    await withinMs(graceMs + settleMs, drained);
    await Promise.all([listener.destroy(), core.directory.close()]);
    log.info({ event: "manager.close", url }, "The manager has ended.");
  };
  let closing: Promise<void> | undefined;
  return {
    url,
    address,
    close({ graceMs = limits.closeGraceMs } = {}) {
      closing ??= shutDown(graceMs);
      return closing;
    },
  };
}

function assertOptions({ listen, token, advertise }: ManagerOptions): void {
  if (token === undefined && !isLoopbackHost(listen.host)) {
    throw new ManagerError(
      "E_MANAGER_EXPOSED",
      `Without a token the manager does not listen on ${listen.host}.`,
      {
        hint: "Whoever reaches it could send any service's requests elsewhere. Set a token, or listen on 127.0.0.1.",
      },
    );
  }
  if (advertise === undefined && isWildcardHost(listen.host)) {
    throw new ManagerError(
      "E_MANAGER_ADVERTISE",
      `${listen.host} is not an address that agents could dial.`,
      {
        hint: "Set advertise to the host:port at which agents and developers reach this manager.",
      },
    );
  }
}

async function withinMs(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
