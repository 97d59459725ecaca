import type { DestinationPolicy } from "./context.ts";
import { serviceName } from "./service-name.ts";

/** What a registration can be told. What is left out comes from the environment. */
export interface RegisterOptions {
  /** The service's own name, sent as `x-forrst-caller`. Env: `CLEW_SERVICE`, `OTEL_SERVICE_NAME`; default: the nearest package.json's name. */
  readonly service?: string | undefined;
  /**
   * Which destinations get a context (I5). Env: `CLEW_PROPAGATE_INTERNAL` is a comma list added to the default,
   * `CLEW_PROPAGATE_INTERNAL_ONLY` one that takes its place.
   */
  readonly destinations?: DestinationPolicy | undefined;
  /** Whether requests that come without a context are warned about. Env: `CLEW_WARN_MISSING=0` for no. Default: yes. */
  readonly warnMissing?: boolean | undefined;
  /**
   * Whether this process takes part in traces: each outgoing request gets a parent-id of its own, and a request that
   * came without a trace begins one. Only for what records these ids, else the spans behind have a parent that nobody
   * knows. Env: `CLEW_PARTICIPATE=1`. Default: no, traces go through unchanged.
   */
  readonly participate?: boolean | undefined;
  /**
   * Whether child processes get the context of the scope they are started in, by their environment.
   * Env: `CLEW_PROPAGATE_CHILDREN=1`. Default: no, as a variable too many can change what a command does.
   */
  readonly propagateToChildren?: boolean | undefined;
  /**
   * Whether the context in this process's own environment, as its parent handed it over, is that of all that happens
   * outside of any request. Env: `CLEW_CONTEXT_FROM_ENV=1`. Default: no, as a server may outlive whoever started it.
   */
  readonly adoptEnvironment?: boolean | undefined;
}

export interface Settings {
  readonly service: string;
  readonly destinations: DestinationPolicy;
  readonly warnMissing: boolean;
  readonly participate: boolean;
  readonly propagateToChildren: boolean;
  readonly adoptEnvironment: boolean;
}

export function readSettings(options: RegisterOptions, env: NodeJS.ProcessEnv): Settings {
  return {
    service: options.service ?? serviceName(env),
    destinations: options.destinations ?? destinationsOf(env),
    warnMissing: options.warnMissing ?? env["CLEW_WARN_MISSING"] !== "0",
    participate: options.participate ?? env["CLEW_PARTICIPATE"] === "1",
    propagateToChildren: options.propagateToChildren ?? env["CLEW_PROPAGATE_CHILDREN"] === "1",
    adoptEnvironment: options.adoptEnvironment ?? env["CLEW_CONTEXT_FROM_ENV"] === "1",
  };
}

/** `CLEW_NODE_DISABLED=1` leaves the process exactly as it is, so that `--import` can stay in a start script. */
export function isDisabled(env: NodeJS.ProcessEnv): boolean {
  return env["CLEW_NODE_DISABLED"] === "1";
}

function destinationsOf(env: NodeJS.ProcessEnv): DestinationPolicy {
  const only = env["CLEW_PROPAGATE_INTERNAL_ONLY"];
  return {
    internal: [...commaList(only), ...commaList(env["CLEW_PROPAGATE_INTERNAL"])],
    replace: only !== undefined,
  };
}

function commaList(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
