import { get } from "node:http";
import { createClient } from "@clew/rpc";
import { chargeFunction } from "./payments-api.js";
import { addressOf, HttpError, readBody, startService } from "./service.js";

const pricingUrl = addressOf("PRICING_URL");
const payments = createClient({ url: `${addressOf("PAYMENTS_URL")}/forrst`, service: "orders" });

/** Asks pricing by plain `node:http`. */
function priceOf(sku) {
  return new Promise((resolve, reject) => {
    get(`${pricingUrl}/prices/${encodeURIComponent(sku)}`, async (response) => {
      try {
        const body = await readBody(response);
        if (response.statusCode !== 200) throw new HttpError(response.statusCode, body.trim());
        resolve(JSON.parse(body));
      } catch (error) {
        reject(error);
      }
    }).on("error", reject);
  });
}

startService("orders", {
  "GET /quotes/:": ({ parameter }) => priceOf(parameter),
  "POST /orders": async ({ request }) => {
    const { sku } = JSON.parse(await readBody(request));
    const { cents } = await priceOf(String(sku));
    const { receipt } = await payments.call(chargeFunction, { cents });
    return { sku, cents, receipt };
  },
});
