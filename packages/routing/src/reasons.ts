import type { Reason } from "./types.ts";

/** Each reason in one sentence, as `clew explain` and docs/reference/decisions.md say it. */
export const reasons: Readonly<Record<Reason, string>> = {
  route: "The request carries a routing key, and its route has an override for this service and port.",
  rule: "The request carries no routing key, and of the rules that match it this one comes first.",
  "no-match": "The request carries no routing key, and no rule matches it.",
  "route-elsewhere":
    "The request carries a routing key, but its route has no override for this service and port.",
  "key-expired": "The request carries a routing key whose time is over.",
  "key-invalid":
    "The request carries a routing key that is malformed, wrongly signed, made for another environment, or plain where open mode is off.",
  "health-check": "The request would have been taken from the live service, but it is a health check.",
};
