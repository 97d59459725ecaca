import { createServer } from "@clew/rpc";
import { chargeFunction } from "./payments-api.js";
import { startService } from "./service.js";

let charged = 0;
const rpc = createServer({ service: "payments" });
rpc.implement(chargeFunction, ({ cents }) => {
  charged += 1;
  return { receipt: `r-${charged}`, cents };
});

startService("payments", {
  "POST /forrst": ({ request, response }) =>
    new Promise((resolve) => {
      response.once("close", resolve);
      rpc.handle(request, response);
    }),
});
