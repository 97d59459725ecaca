import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startProcess, type TestProcess, temporaryDirectory } from "@clew/testing";

const bin = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));

/** The real command in a folder and with a state of its own, its owner being ann. Disposing ends what it started. */
export interface Installation extends AsyncDisposable {
  readonly configFile: string;
  /** Every port that was given out. */
  readonly ports: readonly number[];
  nextPort(): Promise<number>;
  /** Runs `clew` with arguments and leaves it running. */
  clew(...args: string[]): Promise<TestProcess>;
  /** The same with more in its environment. */
  clewWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<TestProcess>;
  /** Runs `clew` to its end. */
  run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

export async function createInstallation({
  node = process.execPath,
}: {
  node?: string;
} = {}): Promise<Installation> {
  const folder = await temporaryDirectory();
  const ports: number[] = [];
  const nextPort = async (): Promise<number> => {
    const port = await freePort();
    if (ports.includes(port)) return nextPort();
    ports.push(port);
    return port;
  };
  const started: TestProcess[] = [];
  const env = {
    XDG_STATE_HOME: join(folder.path, "xdg"),
    CLEW_OWNER: "ann",
    NODE_OPTIONS: undefined,
    NO_COLOR: "1",
  };
  const clewWith: Installation["clewWith"] = async (more, ...args) => {
    const child = await startProcess(node, [bin, ...args], { cwd: folder.path, env: { ...env, ...more } });
    started.push(child);
    return child;
  };
  return {
    configFile: join(folder.path, "clew.yaml"),
    ports,
    nextPort,
    clew: (...args) => clewWith({}, ...args),
    clewWith,
    run: async (...args) => {
      const child = await clewWith({}, ...args);
      const { code } = await child.exited;
      return { code, stdout: child.stdout, stderr: child.stderr };
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of started.toReversed()) await child.stop(10_000);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Disposing ends it as Ctrl-C does. */
export interface Intercept extends AsyncDisposable {
  readonly process: TestProcess;
  readonly port: number;
  readonly key: string;
  readonly previewUrl: string | undefined;
  /** The address to give out. */
  readonly visitUrl: string | undefined;
}

export async function startIntercept(
  clew: Installation["clew"],
  service: string,
  flags: readonly string[],
  command: readonly string[],
): Promise<Intercept> {
  const port = await freePort();
  const child = await clew(
    "intercept",
    service,
    "--port",
    String(port),
    "--json",
    ...flags,
    "--",
    ...command,
  );
  const line = await child.waitForLine('"event":"intercept"', 30_000);
  const { key, preview } = JSON.parse(line);
  const end = async (): Promise<void> => void (await child.stop(10_000));
  return {
    process: child,
    port,
    key,
    previewUrl: preview?.url,
    visitUrl: preview?.visitUrl,
    [Symbol.asyncDispose]: end,
  };
}
