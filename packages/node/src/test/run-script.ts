import assert from "node:assert/strict";
import { startProcess, type TestProcess } from "@clew/testing";
import { preload } from "./start-service.ts";

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly load?: readonly string[];
  /** Default `module`. */
  readonly type?: "module" | "commonjs";
}

/** Runs a script to its end with propagation loaded, and returns what it wrote; fails when it does not end by itself. */
export async function runScript(script: string, options: RunOptions = {}): Promise<TestProcess> {
  const { env = {}, load = preload.import, type = "module" } = options;
  const args = [...load, `--input-type=${type}`, "--eval", script];
  const child = await startProcess(process.execPath, args, { env: { ...env } });
  const { code, signal } = await child.exited;
  assert.deepEqual([code, signal], [0, null], child.stderr);
  return child;
}
