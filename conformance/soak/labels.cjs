// @ts-check
// Who sent a request, said twice: by its address, which the application hands on, and by its context, which the
// application knows nothing of. Where the two differ at a receiver, a context went astray.

const tenantCount = 1_000;

/**
 * The request's part of an address. Neighbours in time have different tenants, and each comes round again and again.
 * @param {string} part @param {number} index
 */
function labelOf(part, index) {
  return `${part}/t${(index * 7_919) % tenantCount}/r${index}`;
}

/** @param {string} label @returns {string} the `baggage` that goes with it */
function baggageOf(label) {
  const [, tenant, request] = label.split("/");
  return `tenant_id=${tenant},request=${request}`;
}

/** @typedef {{ right: number, wrong: number, lost: number }} Counts */

/** What receivers saw, part by part. `wrong` is the context of another request, `lost` none. */
class Tally {
  /** @type {Record<string, Counts>} */
  counts = {};

  /** @param {string} label @param {unknown} baggage */
  add(label, baggage) {
    const part = label.slice(0, label.indexOf("/"));
    this.counts[part] ??= { right: 0, wrong: 0, lost: 0 };
    const counts = this.counts[part];
    if (baggage === baggageOf(label)) counts.right += 1;
    else if (typeof baggage === "string" && baggage.includes("tenant_id=")) counts.wrong += 1;
    else counts.lost += 1;
  }
}

module.exports = { baggageOf, labelOf, Tally };
