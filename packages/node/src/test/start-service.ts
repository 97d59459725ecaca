import { fileURLToPath } from "node:url";
import { startProcess, type TestProcess } from "@clew/testing";
import type { Hop, Plan } from "./apps/plan.ts";

export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly process: TestProcess;
}

const entry: string = import.meta.resolve("@clew/node");

/** The ways to load propagation from the command line. */
export const preload: Readonly<Record<"import" | "require", readonly string[]>> = {
  import: ["--import", entry],
  require: ["--require", fileURLToPath(entry)],
};

/** A framework loads hundreds of files, and the machine may be busy. */
const startTimeoutMs = 30_000;

/** Starts one of the test applications with this Node, under a service name of its own. */
export async function startService(
  name: string,
  options: { app?: string; load?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Service> {
  const { app = "service.js", load = preload.import, env } = options;
  const main = fileURLToPath(new URL(`apps/${app}`, import.meta.url));
  const child = await startProcess(process.execPath, [...load, main], {
    env: { CLEW_SERVICE: name, ...env },
  });
  const line = await child.waitForLine(/^port \d+$/, startTimeoutMs).catch(async (error: unknown) => {
    // Nobody else can: what is left running keeps the test's process from ending.
    await child.stop();
    throw error;
  });
  const [, port] = line.split(" ");
  return {
    url: `http://127.0.0.1:${port}/`,
    process: child,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Sends a plan to a test service from this process, where nothing propagates. */
export async function send(
  url: string,
  plan: Plan,
  headers: Readonly<Record<string, string>> = {},
): Promise<Hop> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(plan), headers });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Hop;
}
