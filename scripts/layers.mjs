/**
 * The house, from the ground up. A package imports only from rows below its own;
 * `planned` rooms are drawn, so that the picture is whole, and built later.
 */
export const floors = [
  { floor: 0, rows: [["errors"], ["wire"]] },
  { floor: 1, rows: [["context"], ["routing"]] },
  { floor: 2, rows: [["node", "rpc", "proxy", "tunnel"], ["control"]] },
  { floor: 3, rows: [["agent", "gateway", "manager", "doctor"]] },
  { floor: 4, rows: [["cli", "console"]] },
];

/** Imports no Clew package; only tests import it. */
export const aside = ["testing"];

export const planned = new Set(["doctor", "console"]);

/** Row number of each package: an import must go to a smaller one. */
export function rowNumbers() {
  const rows = floors.flatMap(({ rows }) => rows);
  return new Map(rows.flatMap((names, row) => names.map((name) => [name, row])));
}
