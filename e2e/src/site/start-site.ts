import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProcess } from "@clew/testing";
import { createInstallation, type Installation, type Intercept, startIntercept } from "../installation.ts";

const siteFile = fileURLToPath(new URL("site.js", import.meta.url));

/** The site behind an agent and the gateway, up and running; and an office edition of it that the gateway does not lead to. */
export interface Site extends Installation {
  readonly url: string;
  readonly gatewayPort: number;
  readonly managerUrl: string;
  /** Ends all that `clew up` runs, and starts it again. */
  restart(): Promise<void>;
  /** `clew intercept site` with the changed edition, ready. */
  intercept(...flags: string[]): Promise<Intercept>;
}

/** More of a section of the configuration, as YAML of one line that begins with a comma; PORT stands for the gateway's. */
interface SiteSections {
  readonly gateway?: string;
  readonly manager?: string;
}

/** @param files by their names beside the configuration */
export async function startSite(
  { gateway = "", manager = "" }: SiteSections = {},
  files: Readonly<Record<string, string>> = {},
): Promise<Site> {
  const installation = await createInstallation();
  const { nextPort, clew, configFile } = installation;
  const gatewayPort = await nextPort();
  const managerPort = await nextPort();
  const config = `environment: site-test
manager: { listen: "127.0.0.1:${managerPort}", state: state${manager} }
gateway: { listen: "127.0.0.1:${gatewayPort}", ingress: site${gateway.replace("PORT", String(gatewayPort))} }
services:
  site:
    run: ${process.execPath} ${siteFile}
    ports: { http: { listen: "127.0.0.1:${await nextPort()}", upstream: "127.0.0.1:${await nextPort()}" } }
  office:
    run: ${process.execPath} ${siteFile} --edition office
    ports: { http: { listen: "127.0.0.1:${await nextPort()}", upstream: "127.0.0.1:${await nextPort()}" } }
`;
  await writeFile(configFile, config);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dirname(configFile), name), text);
  const start = async (): Promise<TestProcess> => {
    const process = await clew("up");
    await process.waitForLine("Clew is up", 60_000);
    return process;
  };
  let up: TestProcess;
  try {
    up = await start();
  } catch (error) {
    await installation[Symbol.asyncDispose]();
    throw error;
  }
  return {
    ...installation,
    url: `http://127.0.0.1:${gatewayPort}/`,
    gatewayPort,
    managerUrl: `http://127.0.0.1:${managerPort}`,
    async restart() {
      await up.stop(10_000);
      up = await start();
    },
    intercept: (...flags) =>
      startIntercept(clew, "site", flags, [process.execPath, siteFile, "--edition", "changed"]),
  };
}
