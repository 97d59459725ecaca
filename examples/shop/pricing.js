import { parseArgs } from "node:util";
import { addressOf, getJson, startService } from "./service.js";

const { values } = parseArgs({ options: { discount: { type: "string", default: "0" } } });
const discount = Number(values.discount);
if (!(discount >= 0 && discount <= 100)) {
  process.stderr.write(`pricing: --discount is a percentage from 0 to 100, not ${values.discount}\n`);
  process.exit(64);
}
const catalogueUrl = addressOf("CATALOGUE_URL");

startService("pricing", {
  "GET /prices/:": async ({ parameter }) => {
    const { sku, cents } = await getJson(`${catalogueUrl}/products/${encodeURIComponent(parameter)}`);
    return { sku, cents: Math.round(cents * (1 - discount / 100)), discount };
  },
});
