const units: ReadonlyArray<readonly [name: string, ms: number]> = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** A length of time as people say it, in its largest whole unit: "12 minutes", "1 hour", "less than a second". */
export function humanDuration(durationMs: number): string {
  for (const [name, ms] of units) {
    const count = Math.floor(durationMs / ms);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"}`;
  }
  return "less than a second";
}
