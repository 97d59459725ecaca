import type { CommandContext, StricliProcess } from "@stricli/core";

/** What a command may touch of the process that runs it. */
export interface CliContext extends CommandContext {
  readonly process: NodeJS.Process & StricliProcess;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Where to: people read the terminal, programs read JSON (`--json`). */
  readonly json: boolean;
  /** Set by a command that ends with another code than its errors say, such as a wrapped command's. */
  exitCode?: number;
}

/** Flags that commands share. `json` itself is read from {@link CliContext}, since errors obey it as well. */
export interface OutputFlags {
  readonly json: boolean;
}

export interface ManagerFlags extends OutputFlags {
  /** Where the manager is, when it is not to be found by itself. */
  readonly manager?: string;
}

/** Prints a value as one line of JSON, or its text for people. */
export function print(cli: CliContext, value: unknown, text: string): void {
  cli.process.stdout.write(cli.json ? `${JSON.stringify(value)}\n` : `${text}\n`);
}
