// @ts-check
// npm run fuzz:forrst -- [--count N] [--seed S] [--quick] [--json]
// Sends damaged and invented requests to our server: never no answer, never an answer without a code, never more memory
// than its limits allow. The same seed sends the same inputs.
import { finish, lineWriter, parseFlags, table, wholeNumber } from "../scripts/command.mjs";
import { fuzz } from "./fuzz/run.mjs";

const command = "fuzz:forrst";
const flags = parseFlags(command, { count: { type: "string" }, seed: { type: "string" } });
const write = lineWriter(flags.json === true);
const most = 2 ** 31 - 1;
const count = wholeNumber(command, "count", flags.count ?? (flags.quick ? 1_000 : 1_000_000), {
  min: 1,
  max: most,
});
const seed = wholeNumber(command, "seed", flags.seed ?? Date.now() % most, { min: 0, max: most });

const result = await fuzz({
  node: process.execPath,
  count,
  seed,
  onBatch: (done) => {
    if (done % 50_000 === 0) write(`${done} of ${count}`);
  },
});
write(table([["answered with", "times"], ...Object.entries(result.codes)]));
for (const { input, base64, faults } of result.findings) {
  write(`input ${input} of seed ${seed}: ${base64}`);
  for (const fault of faults) write(`    ${fault}`);
}
finish(result);
