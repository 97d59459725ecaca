import { styleText } from "node:util";
import { type DestinationStream, type Logger, pino } from "pino";
import type { CliContext } from "../cli-context.ts";

interface LogOptions {
  /** JSON lines, for programs; otherwise a line for people. */
  readonly json: boolean;
  /** Default `warn`: someone should look. `info` with `--verbose`. */
  readonly level: "warn" | "info" | "debug";
  write(line: string): void;
}

/** The process's logger. Every record has `event` and one sentence as `msg`. */
function createLogger({ json, level, write }: LogOptions): Logger {
  const destination: DestinationStream = { write: json ? write : (line) => write(humanLine(line)) };
  return pino({ level, base: null, redact: ["token", "*.token", "authorization"] }, destination);
}

const colours = new Map<number, Parameters<typeof styleText>[0]>([
  [50, "red"],
  [40, "yellow"],
]);

/** `component | sentence`, coloured by severity where the terminal allows. */
function humanLine(line: string): string {
  const record: unknown = JSON.parse(line);
  const get = (name: string): string =>
    String(
      (typeof record === "object" && record !== null && name in record && Reflect.get(record, name)) || "",
    );
  const colour = colours.get(Number(get("level")));
  const text = colour === undefined ? get("msg") : styleText(colour, get("msg"));
  return `${prefix(get("component") || "clew")}${text}\n`;
}

/** The column in which a part or service names itself in front of its lines. */
export function prefix(name: string): string {
  return `${styleText("dim", `${name.padEnd(12)}|`)} `;
}

/** How a command that runs until it is stopped speaks on standard error: `say` to people alone, `log` to programs as well. */
export function createVoice(
  { process: { stderr }, json }: CliContext,
  isVerbose: boolean,
): { say(text: string): void; readonly log: Logger } {
  return {
    say(text) {
      if (!json) stderr.write(`${styleText("dim", text)}\n`);
    },
    log: createLogger({ json, level: isVerbose ? "info" : "warn", write: (line) => stderr.write(line) }),
  };
}
