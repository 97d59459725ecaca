// npm run chaos:manager -- [--seconds N] [--quick] [--json]: the manager stays away for longer than the tests have time for.
import { parseArgs } from "node:util";
import { takeManagerAway } from "./manager-away.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const seconds = values.quick ? 20 : Number(values.seconds);
if (!(seconds >= 1 && seconds <= 3_600)) {
  process.stderr.write("chaos-manager: --seconds is from 1 to 3600\n");
  process.exit(64);
}
if (!values.json) process.stdout.write(`The manager is killed for ${seconds} s under 200 requests/s …\n`);
const report = await takeManagerAway(seconds * 1000);
const passed = report.failed + report.cut + report.wrongPlace === 0;
if (!values.json) process.stdout.write(`${passed ? "no request failed" : report.faults.join("\n")}\n`);
process.stdout.write(`result ${JSON.stringify({ seconds, passed, ...report })}\n`);
process.exitCode = passed ? 0 : 1;
