// @ts-check
// An application of somebody else behind gateway and agents, with a preview in which one of its services is another one.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startProcess } from "@clew/testing";

const bin = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));
/** A system that was installed a moment ago loads slowly the first time. */
const startMs = 120_000;

/**
 * @typedef {object} Service
 * @property {string} name
 * @property {string} cwd
 * @property {(agents: Record<string, string>) => string} run its command, told at which `host:port` each service's agent listens
 * @property {Record<string, string>} [env]
 */

/**
 * @param {object} options
 * @param {readonly Service[]} options.services the first one is the gateway's ingress
 * @param {{ service: string, command: readonly string[] }} options.changed the service that the preview replaces, and by what
 * @param {readonly string[]} options.previewFlags of `clew intercept`
 */
export async function startPreviewedApp({ services, changed, previewFlags }) {
  const folder = await mkdtemp(join(tmpdir(), "clew-previewed-"));
  await mkdir(join(folder, "state"));
  /** @type {Record<string, { listen: string, upstream: string }>} */
  const ports = {};
  for (const { name } of services) {
    ports[name] = { listen: `127.0.0.1:${await freePort()}`, upstream: `127.0.0.1:${await freePort()}` };
  }
  const agents = Object.fromEntries(services.map(({ name }) => [name, ports[name]?.listen ?? ""]));
  const gateway = `127.0.0.1:${await freePort()}`;
  const config = {
    environment: "previewed",
    manager: { listen: `127.0.0.1:${await freePort()}`, state: "state" },
    gateway: { listen: gateway, ingress: services[0]?.name },
    services: Object.fromEntries(
      services.map(({ name, cwd, run, env = {} }) => [
        name,
        { run: run(agents), cwd, env, ports: { http: ports[name] } },
      ]),
    ),
  };
  // YAML takes JSON as it is.
  await writeFile(join(folder, "clew.yaml"), JSON.stringify(config));

  /** @type {import("@clew/testing").TestProcess[]} */
  const started = [];
  /** @param {readonly string[]} args */
  const clew = async (...args) => {
    const env = {
      XDG_STATE_HOME: join(folder, "xdg"),
      CLEW_OWNER: "ann",
      NODE_OPTIONS: undefined,
      NO_COLOR: "1",
    };
    const child = await startProcess(process.execPath, [bin, ...args], { cwd: folder, env });
    started.push(child);
    return child;
  };
  const stop = async () => {
    for (const child of started.toReversed()) await child.stop(10_000);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const up = await clew("up");
    await up.waitForLine("Clew is up", startMs);
    const port = String(await freePort());
    const intercept = await clew(
      ...["intercept", changed.service, "--port", port, "--preview", "--json", ...previewFlags, "--"],
      ...changed.command,
    );
    const { preview } = JSON.parse(await intercept.waitForLine('"event":"intercept"', startMs));
    return {
      liveUrl: `http://${gateway}/`,
      /** @type {{ slug: string, visitUrl: string, url: string }} */
      preview,
      clew,
      stop,
    };
  } catch (error) {
    for (const child of started) process.stderr.write(child.stderr);
    await stop();
    throw error;
  }
}
