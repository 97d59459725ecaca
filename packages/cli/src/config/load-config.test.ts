import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { isClewError } from "@clew/errors";
import { temporaryDirectory } from "@clew/testing";
import { loadConfig } from "./load-config.ts";

const small = `services:
  orders:
    run: node orders.js
    ports: { http: { listen: "127.0.0.1:8102", upstream: "127.0.0.1:9102" } }
`;

async function load(text: string, env: Record<string, string> = {}): Promise<ReturnType<typeof loadConfig>> {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "clew.yaml");
  await writeFile(file, text);
  return loadConfig(file, env);
}

async function faultsOf(text: string, env: Record<string, string> = {}): Promise<string> {
  try {
    await load(text, env);
  } catch (error) {
    assert.ok(isClewError(error));
    return `${error.code} ${error.message}`;
  }
  return assert.fail("the configuration was accepted");
}

test("a file with nothing but services gets defaults, and each value says where it is from", async () => {
  const { config, values } = await load(small, { CLEW_ENVIRONMENT: "dev" });
  assert.equal(config.environment, "dev");
  assert.deepEqual(config.manager.listen, { host: "127.0.0.1", port: 7400 });
  assert.equal(config.gateway, undefined);
  const sources = new Map(values.map(({ path, source }) => [path, source]));
  assert.equal(sources.get("environment"), "environment CLEW_ENVIRONMENT");
  assert.equal(sources.get("manager.listen"), "default");
  assert.equal(sources.get("services.orders.run"), "file");
});

test("the environment wins over the file, the file over the default", async () => {
  const text = `manager: { listen: "127.0.0.1:1" }\n${small}`;
  assert.equal((await load(text)).config.manager.listen.port, 1);
  assert.equal((await load(text, { CLEW_MANAGER_LISTEN: "127.0.0.1:2" })).config.manager.listen.port, 2);
});

test("routing keys are signed unless the manager is on loopback without a token, or the file says otherwise", async () => {
  await using folder = await temporaryDirectory();
  const tokenFile = join(folder.path, "token");
  await writeFile(tokenFile, "0123456789abcdef");
  const modeOf = async (manager: string, env: Record<string, string> = {}): Promise<unknown> => {
    const { config, values } = await load(`manager: { ${manager} }\n${small}`, env);
    const { source, value } = values.find(({ path }) => path === "manager.routingKeys") ?? {};
    assert.equal(value, config.manager.routingKeys, "it is shown as it is used");
    return `${config.manager.routingKeys} by ${source}`;
  };
  assert.equal(await modeOf(""), "open by default");
  assert.equal(await modeOf('listen: "[::1]:7400"'), "open by default");
  assert.equal(await modeOf(`tokenFile: ${tokenFile}`), "signed by default");
  assert.equal(await modeOf("", { CLEW_MANAGER_TOKEN_FILE: tokenFile }), "signed by default");
  assert.equal(await modeOf("", { CLEW_MANAGER_LISTEN: "0.0.0.0:7400" }), "signed by default");
  assert.equal(await modeOf("listen: 10.0.0.1:7400, routingKeys: open"), "open by file");
  assert.equal(
    await modeOf("", { CLEW_MANAGER_ROUTING_KEYS: "signed" }),
    "signed by environment CLEW_MANAGER_ROUTING_KEYS",
  );
  assert.match(await faultsOf(`manager: { routingKeys: no }\n${small}`), /routingKeys .*neither open nor/);
});

test("an IPv6 address stands in brackets", async () => {
  const { config } = await load(`manager: { listen: "[::1]:7400" }\n${small}`);
  assert.deepEqual(config.manager.listen, { host: "::1", port: 7400 });
});

test("all faults are reported at once, with path and line", async () => {
  const report = await faultsOf(`environment: Shop!
manager:
  listen: nowhere
services:
  orders:
    prots: {}
`);
  assert.match(report, /^E_CONFIG_INVALID/);
  assert.match(report, /4 faults/);
  assert.match(report, /environment \(line 1\)/);
  assert.match(report, /manager\.listen \(line 3\): is not host:port/);
  assert.match(report, /services\.orders\.ports: is missing/);
  assert.match(report, /services\.orders \(line 6\): has no setting named prots/);
});

test("a fault is told in the same words wherever it is, and every unknown setting of a section at once", async () => {
  const report = await faultsOf(`environment: ""
manager: { registry: { etcd: [nowhere], prefix: shop, tls: true }, routingKeys: no }
services:
  Orders: { ports: {} }
  prototype:
    env: [a]
    ports: { http: { listen: "127.0.0.1:1", upstream: 7, protocol: h2c } }
    colour: red
    constructor: red
gateway: { limits: { previewRequests: { perSecond: 0, burst: 1.5 } } }
metrics: []
`);
  const faults = report.split("\n").slice(1);
  assert.deepEqual(faults, [
    "  - environment (line 1): is not a name of small letters, digits and inner hyphens",
    "  - manager.registry.etcd.0 (line 2): is not a URL",
    "  - manager.registry.prefix (line 2): does not begin with /",
    "  - manager.registry (line 2): has no setting named tls",
    "  - manager.routingKeys (line 2): is neither open nor signed",
    "  - gateway.ingress: is missing",
    "  - gateway.limits.previewRequests.perSecond (line 10): is not more than 0",
    "  - gateway.limits.previewRequests.burst (line 10): is not a whole number",
    "  - metrics (line 11): is not an object",
    "  - services.Orders (line 4): is not a name of small letters, digits and inner hyphens",
    "  - services.prototype.env (line 6): is not an object",
    "  - services.prototype.ports.http.upstream (line 7): is not a string",
    "  - services.prototype.ports.http.protocol (line 7): is none of auto, http1 and tcp (h2c is not there yet)",
    "  - services.prototype (line 6): has no setting named colour, constructor",
  ]);
});

test("names that do not exist and addresses used twice are faults", async () => {
  const text = `gateway: { ingress: shop }
services:
  orders:
    env: { PRICING_URL: "http://{pricing.http}" }
    ports: { http: { listen: "127.0.0.1:8102", upstream: "127.0.0.1:8102" } }
`;
  const report = await faultsOf(text);
  assert.match(report, /gateway\.ingress .*no service shop; there are: orders/);
  assert.match(report, /PRICING_URL .*\{pricing\.http\} names no port/);
  assert.match(report, /127\.0\.0\.1:8102 is also services\.orders\.ports\.http\.listen/);
});

test("a missing file, broken YAML and a port above 65535 are said as such", async () => {
  assert.throws(() => loadConfig("/nowhere/clew.yaml", {}), { code: "E_CONFIG_MISSING" });
  assert.match(await faultsOf("services: ["), /^E_CONFIG_UNREADABLE/);
  assert.match(await faultsOf(small.replace("8102", "70000")), /70000 is not a port/);
});

test("a token shorter than 16 characters is refused", async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, "token");
  await writeFile(file, "short\n");
  assert.match(await faultsOf(small, { CLEW_MANAGER_TOKEN_FILE: file }), /shorter than 16/);
});

test("a gateway's section is taken whole: paths become absolute, and what it names must exist", async () => {
  const text = `gateway:
  listen: "0.0.0.0:443"
  ingress: orders
  ingressHost: shop.example
  ingresses:
    docs: { url: "https://docs.internal:8443", host: docs.example, ca: ca.pem }
    pay: { service: orders }
  previewUrl: "https://{slug}.preview.example/"
  partners: { acme: { accept: [tenant_id], addresses: [198.51.100.0/24] } }
  tls: { certificates: [{ cert: c.pem, key: k.pem, hosts: ["*.preview.example"] }], clientCa: ca.pem }
  accessLog: access.log
  limits: { previewRequests: { perSecond: 0.5, burst: 10 } }
${small}`;
  const { config } = await load(text);
  const folder = dirname(config.file);
  const { listen, ingresses, tls, accessLog, limits } = config.gateway ?? assert.fail("no gateway");
  assert.deepEqual(listen, { host: "0.0.0.0", port: 443 });
  assert.equal(ingresses?.["docs"]?.ca, join(folder, "ca.pem"));
  assert.deepEqual(tls, {
    certificates: [{ cert: join(folder, "c.pem"), key: join(folder, "k.pem"), hosts: ["*.preview.example"] }],
    clientCa: join(folder, "ca.pem"),
  });
  assert.deepEqual([accessLog, limits?.previewRequests?.burst], [join(folder, "access.log"), 10]);
  assert.equal((await load(text, { CLEW_GATEWAY_ACCESS_LOG: "stdout" })).config.gateway?.accessLog, "stdout");
});

test("a gateway's ingress without an address, a partner nobody can tell, and a preview address without a slug are faults", async () => {
  const report = await faultsOf(`gateway:
  ingress: orders
  previewUrl: https://preview.example/
  ingresses: { none: { host: a.example }, two: { service: orders, url: "http://a" }, bad: { url: "ftp://a" } }
  partners: { anybody: { accept: [tenant_id] } }
  tls: { certificates: [] }
${small}`);
  assert.match(report, /gateway\.previewUrl .*\{slug\}/);
  assert.match(report, /ingresses\.none .*exactly one of service and url/);
  assert.match(report, /ingresses\.two .*exactly one of service and url/);
  assert.match(report, /ingresses\.bad\.url/);
  assert.match(report, /partners\.anybody .*needs addresses or a certificate/);
  assert.match(report, /tls\.certificates/);
  const unknown = await faultsOf(
    `gateway: { ingress: orders, ingresses: { a: { service: shop } } }\n${small}`,
  );
  assert.match(unknown, /gateway\.ingresses\.a\.service .*no service shop; there are: orders/);
});

test("limits of time are whole milliseconds, none by default, and only where there are requests", async () => {
  const withLimits = (limits: string, protocol = "auto"): string =>
    small
      .replace("  orders:", `  orders:\n    limits: ${limits}`)
      .replace('9102"', `9102", protocol: ${protocol}`);
  const limitsOf = async (text: string): Promise<unknown> => (await load(text)).config.services[0]?.limits;
  assert.deepEqual(await limitsOf(small), {});
  const all = "{ answerTimeoutMs: 60000, answerIdleTimeoutMs: 1, clientStallTimeoutMs: 30000 }";
  const set = { answerTimeoutMs: 60_000, answerIdleTimeoutMs: 1, clientStallTimeoutMs: 30_000 };
  assert.deepEqual(await limitsOf(withLimits(all)), set);
  const report = await faultsOf(
    `gateway: { ingress: orders, limits: { clientStallTimeoutMs: -1 } }\n` +
      withLimits("{ answerTimeoutMs: 0, answerIdleTimeoutMs: 1.5, clientStallTimeoutMs: 1m }"),
  );
  assert.match(report, /services\.orders\.limits\.answerTimeoutMs .*leave it out for none/);
  assert.match(report, /limits\.answerIdleTimeoutMs .*is not a whole number of milliseconds/);
  assert.match(report, /limits\.clientStallTimeoutMs .*is not a whole number of milliseconds/);
  assert.match(report, /gateway\.limits\.clientStallTimeoutMs .*leave it out for none/);
  assert.match(await faultsOf(withLimits(all, "tcp")), /orders\.limits .*protocol tcp there are none/);
});
