import { type ExitCode, run } from "@stricli/core";
import { createApp } from "./app.ts";
import type { CliContext } from "./cli-context.ts";
import { exitCodes } from "./errors.ts";

// Stricli's own codes are negative; a shell knows them as 64 (wrong use) and 70 (our bug).
const wrongUse: ReadonlySet<number> = new Set<(typeof ExitCode)[keyof typeof ExitCode]>([-5, -4]);

const inputs = process.argv.slice(2);
const end = inputs.indexOf("--");
const json = (end === -1 ? inputs : inputs.slice(0, end)).includes("--json");
const cli: CliContext = {
  process: process as CliContext["process"],
  env: process.env,
  cwd: process.cwd(),
  json,
};
await run(createApp(json), inputs, cli);

const code = Number(process.exitCode ?? 0);
if (cli.exitCode !== undefined) process.exitCode = cli.exitCode;
else if (wrongUse.has(code)) process.exitCode = exitCodes.usage;
else if (code < 0) process.exitCode = exitCodes.bug;

// When everything has ended by itself, nothing is left for Node to clean up, and it may do so for ever: it waits for what its event
// loop still owes to a broken connection, turning at 100 % CPU. An exit that is asked for ends at once.
process.once("beforeExit", () => process.exit());
