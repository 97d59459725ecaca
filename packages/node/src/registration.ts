import { hookFetch } from "./fetch.ts";
import { Hook } from "./hook.ts";
import { hookClients } from "./http-client.ts";
import { hookServers } from "./http-server.ts";
import { createMissingReporter } from "./missing-context.ts";
import { createOutgoing } from "./outgoing.ts";
import { isDisabled, type RegisterOptions, readSettings } from "./settings.ts";

/** The propagation of this process. */
export interface Registration {
  /** False once disabled, and where `CLEW_NODE_DISABLED=1` kept it from starting. */
  readonly active: boolean;
  /** Puts the runtime back as it was. Requests that are open go on without it. */
  disable(): void;
}

/** One registration in a process, however many copies of this package it loads. */
const registrationKey: unique symbol = Symbol.for("clew.node.registration");

const registry = globalThis as { [registrationKey]?: Registration };

/**
 * Carries the context of every request of this process from its servers to its clients: `node:http` and `node:https`
 * both ways, and `fetch`. Where a registration is active already, returns that one, options unread.
 * Never throws: what cannot be hooked is left alone, and a warning says so (I9).
 */
export function register(options: RegisterOptions = {}): Registration {
  const existing = registry[registrationKey];
  if (existing?.active) return existing;
  const registration = isDisabled(process.env) ? inactive : start(options);
  registry[registrationKey] = registration;
  return registration;
}

const inactive: Registration = { active: false, disable: () => {} };

function start(options: RegisterOptions): Registration {
  const settings = readSettings(options, process.env);
  const outgoing = createOutgoing(settings.service, settings.destinations);
  const server = new Hook("http.server");
  const client = new Hook("http.client");
  const fetch = new Hook("fetch");
  server.install(() => hookServers(server, createMissingReporter(settings.warnMissing)));
  client.install(() => hookClients(client, outgoing));
  fetch.install(() => hookFetch(fetch, outgoing));
  let active = true;
  return {
    get active() {
      return active;
    },
    disable() {
      active = false;
      for (const hook of [server, client, fetch]) hook.disable();
    },
  };
}
