import { connect, createServer } from "node:net";
import { type Config, formatEndpoint } from "../config/config.ts";
import { CliError } from "../errors.ts";
import type { Selection } from "./selection.ts";

interface Claim {
  readonly host: string;
  readonly port: number;
  /** Whose address it is, as a person says it. */
  readonly owner: string;
}

/** Every address that the selected parts are going to listen on. */
function claims(config: Config, selection: Selection): Claim[] {
  const found: Claim[] = [];
  if (selection.manager) found.push({ ...config.manager.listen, owner: "the manager" });
  if (selection.gateway && config.gateway) found.push({ ...config.gateway.listen, owner: "the gateway" });
  if (config.metrics) found.push({ ...config.metrics, owner: "the metrics" });
  for (const { name, ports, run } of config.services) {
    for (const [port, { listen, upstream }] of Object.entries(ports)) {
      if (selection.agents.has(name)) found.push({ ...listen, owner: `the agent of ${name} (port ${port})` });
      if (selection.services.has(name) && run !== undefined) {
        found.push({ ...upstream, owner: `the service ${name} (port ${port})` });
      }
    }
  }
  return found;
}

/** Throws E_PORT_TAKEN that names every address in use, and for whom it was meant, before anything is started. */
export async function checkAddresses(config: Config, selection: Selection): Promise<void> {
  const faults = await Promise.all(claims(config, selection).map(tryListen));
  const taken = faults.filter((fault) => fault !== undefined);
  if (taken.length === 0) return;
  throw new CliError("E_PORT_TAKEN", `cannot start:\n  - ${taken.join("\n  - ")}`, {
    hint: "Is another `clew up` running? End it, or change the address in clew.yaml.",
  });
}

/** Throws E_PORT_TAKEN when something listens on a port that a command of ours is about to use. */
export async function checkPortFree(port: number, owner: string): Promise<void> {
  const fault = await tryListen({ host: "127.0.0.1", port, owner });
  if (fault === undefined) return;
  throw new CliError("E_PORT_TAKEN", `cannot start: ${fault}`, { hint: "Choose another one: --port PORT" });
}

function tryListen({ host, port, owner }: Claim): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE" ? "is taken by another process" : `cannot be used: ${error.message}`;
      resolve(`${formatEndpoint({ host, port })} for ${owner} ${why}`);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** How often a port is tried while its service starts. */
const probeIntervalMs = 50;

/** Resolves true when something accepts at the address, false when `signal` aborts first. */
export async function waitForListener(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    if (await accepts(host, port)) return true;
    await new Promise((resolve) => setTimeout(resolve, probeIntervalMs));
  }
  return false;
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, autoSelectFamily: true }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
