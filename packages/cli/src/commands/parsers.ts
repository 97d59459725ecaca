import { CliError } from "../errors.ts";

/** A TCP port, 1 to 65535. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new CliError("E_USAGE", `not a port from 1 to 65535: ${text}`);
}

/** A number of processes, 1 to 64. */
export function parseWorkers(text: string): number {
  const count = Number(text);
  if (/^\d{1,2}$/.test(text) && count >= 1 && count <= 64) return count;
  throw new CliError("E_USAGE", `not a number of workers from 1 to 64: ${text}`);
}

const units: ReadonlyMap<string, number> = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** `90s`, `30m`, `24h`, `7d` in milliseconds. */
export function parseDuration(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = units.get(unit);
  if (count !== undefined && unitMs !== undefined && Number(count) > 0) return Number(count) * unitMs;
  throw new CliError("E_USAGE", `not a duration: ${text}`, { hint: "Such as 90s, 30m, 24h or 7d" });
}
