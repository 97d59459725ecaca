import type { ChildProcess } from "node:child_process";
import { ambientStorage, contextHeaderNames } from "./context.ts";
import type { ContextHeaders } from "./header-list.ts";
import type { Hook } from "./hook.ts";
import type { Outgoing } from "./outgoing.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** What is handed to a child process's `spawn`, by Node 20 to 24. */
interface SpawnRequest {
  /** As the application gave it; undefined where the child inherits. */
  readonly env?: Variables | null;
  /** The same as `NAME=value`, which is what counts. */
  readonly envPairs?: readonly string[];
}

/** Those that wait for the child: functions of the module, with nothing below them that could be changed. */
const waiting = ["spawnSync", "execFileSync", "execSync"] as const;

/**
 * Hands the context to child processes by their environment, to those of `fork` and `cluster` as well. A variable
 * that the application sets for the child wins, but not one that it only hands on from this process's own environment.
 */
export function hookChildren(hook: Hook, outgoing: Outgoing): void {
  const childProcess = process.getBuiltinModule("node:child_process");
  const { syncBuiltinESMExports } = process.getBuiltinModule("node:module");
  hook.onDisable(syncBuiltinESMExports);

  hook.replace(
    childProcess.ChildProcess.prototype,
    "spawn",
    (spawn) =>
      function (this: ChildProcess, request: SpawnRequest, ...rest) {
        return Reflect.apply(spawn, this, [
          guarded(hook, request, () => forChild(request, outgoing)),
          ...rest,
        ]);
      },
  );
  for (const name of waiting) {
    hook.replace(
      childProcess,
      name,
      (run) =>
        function (this: unknown, ...args) {
          const changed = guarded(hook, args, () => withEnvironment(args, name === "execSync", outgoing));
          return Reflect.apply(run, this, changed);
        },
    );
  }
  // For `import { spawnSync }`, which has been given its functions already.
  syncBuiltinESMExports();
}

function guarded<T>(hook: Hook, given: T, change: () => T): T {
  try {
    if (hook.active) return change();
  } catch (error) {
    hook.fail(error);
  }
  return given;
}

function forChild(request: SpawnRequest, outgoing: Outgoing): SpawnRequest {
  const { env, envPairs } = request;
  const changes = changesTo(env ?? process.env, outgoing);
  if (!Array.isArray(envPairs) || changes.size === 0) return request;
  const kept = envPairs.filter((pair) => !changes.has(pair.slice(0, pair.indexOf("="))));
  return { ...request, envPairs: [...kept, ...Array.from(changes, ([name, value]) => `${name}=${value}`)] };
}

/** The arguments (`file`, `args` unless they are left out or part of a command, `options`) with the variables added. */
function withEnvironment(args: unknown[], isCommand: boolean, outgoing: Outgoing): unknown[] {
  const hasList = !isCommand && (Array.isArray(args[1]) || (args[1] ?? undefined) === undefined);
  const index = hasList ? 2 : 1;
  const options = args[index] ?? {};
  if (typeof options !== "object" || Array.isArray(options)) return args;
  const env: Variables = (options as SpawnRequest).env ?? process.env;
  const changes = changesTo(env, outgoing);
  if (changes.size === 0) return args;
  const changed = Array.from({ length: index }, (_, position) => args[position]);
  return [
    ...changed,
    { ...options, env: { ...allOf(env), ...Object.fromEntries(changes) } },
    ...args.slice(index + 1),
  ];
}

/** Node takes inherited variables too. */
function allOf(env: Variables): Variables {
  const all: Record<string, string | undefined> = {};
  for (const name in env) all[name] = env[name];
  return all;
}

/** The variables to set for a child that is to have these; none outside of any scope, where the child inherits. */
function changesTo(env: Variables, outgoing: Outgoing): Map<string, string> {
  const changes = new Map<string, string>();
  const context = ambientStorage().getStore();
  if (context === undefined) return changes;
  const explicit = (header: string): string | undefined => {
    const name = variableName(header);
    return env[name] === process.env[name] ? undefined : env[name];
  };
  // What this process was started with is another request's, so it is emptied where there is nothing to say.
  for (const header of contextHeaderNames) {
    const name = variableName(header);
    if (env[name] !== undefined && explicit(header) === undefined) changes.set(name, "");
  }
  const existing: ContextHeaders = {
    baggage: explicit("baggage"),
    traceparent: explicit("traceparent"),
    tracestate: explicit("tracestate"),
    "x-forrst-caller": explicit("x-forrst-caller"),
  };
  for (const [header, value] of outgoing.fieldsFor(context, existing)) {
    changes.set(variableName(header), value);
  }
  return changes;
}

/** As `contextFromEnvironment` reads them: `BAGGAGE`, `TRACEPARENT`, `TRACESTATE`, `X_FORRST_CALLER`. */
function variableName(header: string): string {
  return header.toUpperCase().replaceAll("-", "_");
}
