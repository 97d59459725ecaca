import { createDispatcherHook } from "./dispatcher.ts";
import { hookFetch } from "./fetch.ts";
import { Hook, warn } from "./hook.ts";
import { hookClients } from "./http-client.ts";
import { hookServers } from "./http-server.ts";
import { hookHttp2 } from "./http2.ts";
import { watchGrpc, watchHttp2Wrapper } from "./http2-libraries.ts";
import { createIncoming } from "./incoming.ts";
import { require } from "./lazy.ts";
import { createLostContexts } from "./lost-context.ts";
import { createMissingReporter } from "./missing-context.ts";
import { watchModules } from "./modules.ts";
import { watchOpenTelemetry } from "./opentelemetry.ts";
import { createOutgoing, type Outgoing } from "./outgoing.ts";
import { isDisabled, type RegisterOptions, readSettings, type Settings } from "./settings.ts";
import { watchUndici } from "./undici.ts";

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
 * Carries the context of every request of this process from its servers to its clients: `node:http`, `node:https`,
 * `node:http2` and `@grpc/grpc-js` both ways, `fetch` and what else uses undici, Node's own or one from npm. Where a
 * registration is active already, returns that one, options unread. Never throws: what cannot be hooked is left alone,
 * and a warning says so (I9).
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
  let hooks: readonly Hook[];
  try {
    if (typeof process.getBuiltinModule !== "function") throw new Error(`Node ${process.version} is too old`);
    hooks = installHooks(readSettings(options, process.env));
    keepTick();
  } catch (error) {
    warn("in this process", error);
    return inactive;
  }
  let active = true;
  return {
    get active() {
      return active;
    },
    disable() {
      active = false;
      for (const hook of hooks) hook.disable();
    },
  };
}

const keptTicks: object[] = [];

/**
 * Keeps one object of `process.nextTick`'s. Without any alive, V8 forgets their shape when it collects the whole heap, as
 * it does in a process that is idle for 8 seconds; and on Node 20, where enough of them were made before, as in loading
 * an ES module like ours, it then makes each by the slowest way for ever: 10 µs for a request that asks another service.
 */
function keepTick(): void {
  const { executionAsyncResource } = process.getBuiltinModule("node:async_hooks");
  process.nextTick(() => void keptTicks.push(executionAsyncResource()));
}

/** All that is changed, in the order in which it is put back. */
function installHooks(settings: Settings): readonly Hook[] {
  const lost = createLostContexts();
  const openTelemetry = watchOpenTelemetry(settings.service);
  const onMissing = createMissingReporter(settings.warnMissing);
  const incoming = createIncoming({ ...settings, onMissing, openTelemetry });
  const outgoing = createOutgoing({ ...settings, lost, openTelemetry });
  const dispatchers = createDispatcherHook(outgoing);
  const undici = watchUndici(dispatchers);
  const grpc = watchGrpc(outgoing);
  const http2Wrapper = watchHttp2Wrapper();
  return [
    install("http.server", (hook) => hookServers(hook, incoming, lost)),
    install("http.client", (hook) => hookClients(hook, outgoing)),
    install("fetch", (hook) => hookFetch(hook, dispatchers, outgoing)),
    install("require", (hook) => watchModules(hook, [undici, grpc, http2Wrapper])),
    undici.hook,
    grpc.hook,
    http2Wrapper.hook,
    ...hookHttp2(incoming, outgoing, lost),
    openTelemetry.hook,
    ...(settings.propagateToChildren ? [installChildren(outgoing)] : []),
    ...(settings.adoptEnvironment ? [installBase()] : []),
  ];
}

function installChildren(outgoing: Outgoing): Hook {
  return install("child_process", (hook) => {
    const { hookChildren }: typeof import("./child-process.ts") = require("./child-process.js");
    hookChildren(hook, outgoing);
  });
}

function installBase(): Hook {
  return install("environment", (hook) => {
    const { adoptEnvironment }: typeof import("./base-context.ts") = require("./base-context.js");
    adoptEnvironment(hook, process.env);
  });
}

function install(name: string, change: (hook: Hook) => void): Hook {
  const hook = new Hook(name);
  hook.install(change);
  return hook;
}
