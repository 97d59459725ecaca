// @ts-check
// What is asked: a request as services send it among each other, with 13 fields and about 720 bytes, context included.

/** Without `host` and `baggage`. */
const fields = {
  "user-agent": "storefront/4.11.2 (node 24.1.0; linux x64)",
  accept: "application/json, text/plain;q=0.9, */*;q=0.1",
  "accept-encoding": "gzip, deflate, br",
  "accept-language": "en-GB,en;q=0.8,de;q=0.5",
  authorization: "Bearer eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1LTQ3MTEifQ.b3hZ0dQm3r",
  cookie: "session=5f2b8c1e9a7d4c03; consent=all; locale=en",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "shop=t61rcWkgMzE,vendor=00f067aa0ba902b7",
  "x-request-id": "0d0f5a1e-6a0c-4f6b-9d61-2f3f3b0e2c11",
  "x-forwarded-for": "203.0.113.7, 198.51.100.23",
  "cache-control": "no-cache",
};
const baggage = "tenant_id=acme,user_id=u-4711,plan=gold,region=eu-central-1,caller=storefront";

/** The route whose requests peers send elsewhere, as ours does: each looks at every request's baggage for it. */
export const divertedRoute = "alice";

/**
 * @param {object} [options]
 * @param {string} [options.route] Carried as routing key.
 * @param {boolean} [options.closes] A connection for this request alone.
 * @returns {Record<string, string>}
 */
export function requestFields({ route, closes = false } = {}) {
  return {
    // As wrk looks for it before it adds its own.
    Host: "bench.internal",
    ...fields,
    baggage: route === undefined ? baggage : `${baggage},clew-route=${route}`,
    ...(closes ? { connection: "close" } : {}),
  };
}

/**
 * The head as bytes, with the empty line.
 * @param {string} path @param {Record<string, string>} [headers]
 */
export function requestText(path, headers = requestFields()) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

export const smallBytes = 200;
export const largeBytes = 64 * 1024;
