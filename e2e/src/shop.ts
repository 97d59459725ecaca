import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startProcess, type TestProcess, temporaryDirectory } from "@clew/testing";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "packages", "cli", "bin", "clew.js");
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
export interface Shop extends AsyncDisposable {
  readonly url: string;
  readonly gatewayPort: number;
  readonly managerUrl: string;
  readonly configFile: string;
  /** Every port that the shop's parts listen on. */
  readonly ports: readonly number[];
  /** Runs `clew` with arguments and leaves it running. */
  clew(...args: string[]): Promise<TestProcess>;
  /** The same with more in its environment. */
  clewWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<TestProcess>;
  /** Runs `clew` to its end. */
  run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** `clew intercept pricing` with half price, ready. */
  intercept(...flags: string[]): Promise<Intercept>;
  /** The same for any service, run as the shop runs it. */
  interceptOther(service: ServiceName, ...flags: string[]): Promise<Intercept>;
}

/** Disposing ends it as Ctrl-C does. */
export interface Intercept extends AsyncDisposable {
  readonly process: TestProcess;
  readonly port: number;
  readonly key: string;
  readonly previewUrl: string | undefined;
}

interface ShopOptions {
  /** Node binary; default the one that runs this. */
  readonly node?: string;
  /** Default: open, as it is on loopback without a token. */
  readonly routingKeys?: "open" | "signed";
}

/** Writes a configuration with free ports; nothing runs yet. */
export async function prepareShop({ node = process.execPath, routingKeys }: ShopOptions = {}): Promise<Shop> {
  const folder = await temporaryDirectory();
  const ports: number[] = [];
  const nextPort = async (): Promise<number> => {
    const port = await freePort();
    if (ports.includes(port)) return nextPort();
    ports.push(port);
    return port;
  };
  const managerPort = await nextPort();
  const gatewayPort = await nextPort();
  const services: string[] = [];
  for (const name of serviceNames)
    services.push(serviceSection(name, node, await nextPort(), await nextPort()));
  const configFile = join(folder.path, "clew.yaml");
  const config = `environment: shop-test
manager: { listen: "127.0.0.1:${managerPort}", state: state${routingKeys === undefined ? "" : `, routingKeys: ${routingKeys}`} }
gateway: { listen: "127.0.0.1:${gatewayPort}", ingress: storefront }
services:
${services.join("")}`;
  await writeFile(configFile, config);

  const started: TestProcess[] = [];
  const env = {
    XDG_STATE_HOME: join(folder.path, "xdg"),
    CLEW_OWNER: "ann",
    NODE_OPTIONS: undefined,
    NO_COLOR: "1",
  };
  const clewWith: Shop["clewWith"] = async (more, ...args) => {
    const child = await startProcess(node, [bin, ...args], { cwd: folder.path, env: { ...env, ...more } });
    started.push(child);
    return child;
  };
  const clew: Shop["clew"] = (...args) => clewWith({}, ...args);
  const serviceCommand = (name: ServiceName, ...args: string[]): string[] => [
    node,
    join(root, "examples", "shop", `${name}.js`),
    ...args,
  ];
  return {
    url: `http://127.0.0.1:${gatewayPort}`,
    gatewayPort,
    managerUrl: `http://127.0.0.1:${managerPort}`,
    configFile,
    ports,
    clew,
    clewWith,
    run: async (...args) => {
      const child = await clew(...args);
      const { code } = await child.exited;
      return { code, stdout: child.stdout, stderr: child.stderr };
    },
    intercept: (...flags) =>
      startIntercept(clew, "pricing", flags, serviceCommand("pricing", "--discount", "50")),
    interceptOther: (service, ...flags) => startIntercept(clew, service, flags, serviceCommand(service)),
    [Symbol.asyncDispose]: async () => {
      for (const child of started.toReversed()) await child.stop(10_000);
      await folder[Symbol.asyncDispose]();
    },
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

async function startIntercept(
  clew: (...args: string[]) => Promise<TestProcess>,
  service: ServiceName,
  flags: readonly string[],
  command: readonly string[],
): Promise<Intercept> {
  const port = await freePort();
  const child = await clew(
    "intercept",
    service,
    "--port",
    String(port),
    "--json",
    ...flags,
    "--",
    ...command,
  );
  const line = await child.waitForLine('"event":"intercept"', 30_000);
  const { key, preview } = JSON.parse(line);
  const end = async (): Promise<void> => void (await child.stop(10_000));
  return { process: child, port, key, previewUrl: preview?.url, [Symbol.asyncDispose]: end };
}
