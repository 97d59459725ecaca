import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProcess } from "@clew/testing";
import { createInstallation, type Installation, type Intercept, startIntercept } from "./installation.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const serviceNames = ["storefront", "catalogue", "orders", "payments", "pricing"] as const;
type ServiceName = (typeof serviceNames)[number];

const environments: Readonly<Record<ServiceName, string>> = {
  storefront: "{ CATALOGUE_URL: 'http://{catalogue.http}', ORDERS_URL: 'http://{orders.http}' }",
  catalogue: "{}",
  orders: "{ PRICING_URL: 'http://{pricing.http}', PAYMENTS_URL: 'http://{payments.http}' }",
  payments: "{}",
  pricing: "{ CATALOGUE_URL: 'http://{catalogue.http}' }",
};

/** The example shop on ports and folders of its own, run by the real command in processes of its own. */
export interface Shop extends Installation {
  readonly url: string;
  readonly gatewayPort: number;
  readonly managerUrl: string;
  /** `clew intercept pricing` with half price, ready. */
  intercept(...flags: string[]): Promise<Intercept>;
  /** The same for any service, run as the shop runs it. */
  interceptOther(service: ServiceName, ...flags: string[]): Promise<Intercept>;
}

interface ShopOptions {
  /** Node binary; default the one that runs this. */
  readonly node?: string;
  /** Default: open, as it is on loopback without a token. */
  readonly routingKeys?: "open" | "signed";
}

/** Writes a configuration with free ports; nothing runs yet. */
export async function prepareShop({ node = process.execPath, routingKeys }: ShopOptions = {}): Promise<Shop> {
  const installation = await createInstallation({ node });
  const { nextPort, clew } = installation;
  const managerPort = await nextPort();
  const gatewayPort = await nextPort();
  const services: string[] = [];
  for (const name of serviceNames)
    services.push(serviceSection(name, node, await nextPort(), await nextPort()));
  const config = `environment: shop-test
manager: { listen: "127.0.0.1:${managerPort}", state: state${routingKeys === undefined ? "" : `, routingKeys: ${routingKeys}`} }
gateway: { listen: "127.0.0.1:${gatewayPort}", ingress: storefront }
services:
${services.join("")}`;
  await writeFile(installation.configFile, config);
  const serviceCommand = (name: ServiceName, ...args: string[]): string[] => [
    node,
    join(root, "examples", "shop", `${name}.js`),
    ...args,
  ];
  return {
    ...installation,
    url: `http://127.0.0.1:${gatewayPort}`,
    gatewayPort,
    managerUrl: `http://127.0.0.1:${managerPort}`,
    intercept: (...flags) =>
      startIntercept(clew, "pricing", flags, serviceCommand("pricing", "--discount", "50")),
    interceptOther: (service, ...flags) => startIntercept(clew, service, flags, serviceCommand(service)),
  };
}

/** The shop, up and running by one `clew up`. */
export async function startShop(options: ShopOptions = {}): Promise<Shop & { readonly up: TestProcess }> {
  const shop = await prepareShop(options);
  try {
    const up = await shop.clew("up");
    await up.waitForLine("Clew is up", 60_000);
    return { ...shop, up };
  } catch (error) {
    await shop[Symbol.asyncDispose]();
    throw error;
  }
}

function serviceSection(name: ServiceName, node: string, listen: number, upstream: number): string {
  return `  ${name}:
    run: ${node} ${name}.js
    cwd: ${join(root, "examples", "shop")}
    env: ${environments[name]}
    ports: { http: { listen: "127.0.0.1:${listen}", upstream: "127.0.0.1:${upstream}" } }
`;
}
