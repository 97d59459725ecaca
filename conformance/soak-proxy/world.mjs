// @ts-check
// What the soak runs against, each in a process of its own: a manager and an agent by the command, the live service, and
// the developer's.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startProcess, temporaryDirectory } from "@clew/testing";

const clewCommand = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));
const serviceFile = fileURLToPath(new URL("service.mjs", import.meta.url));
const probe = new URL("memory-probe.mjs", import.meta.url).href;

const upTimeoutMs = 60_000;
export const service = "soak";

/**
 * Processes that end together, in the reverse of the order in which they were started, and the folder that they share.
 */
async function createHouse() {
  const folder = await temporaryDirectory();
  /** @type {import("@clew/testing").TestProcess[]} */
  const processes = [];
  const env = { XDG_STATE_HOME: join(folder.path, "xdg"), NODE_OPTIONS: undefined, NO_COLOR: "1" };
  return {
    folder: folder.path,
    /** @param {string} file @param {readonly string[]} args @param {Record<string, string>} [more] */
    async start(file, args, more = {}) {
      const child = await startProcess(file, args, { cwd: folder.path, env: { ...env, ...more } });
      processes.push(child);
      return child;
    },
    async stop() {
      for (const each of processes.toReversed()) await each.stop(10_000);
      await folder[Symbol.asyncDispose]();
    },
  };
}
/** @typedef {Awaited<ReturnType<typeof createHouse>>} House */

/** @param {House} house @param {string[]} args */
async function startService(house, ...args) {
  const child = await house.start(process.execPath, [serviceFile, ...args]);
  const line = await child.waitForLine(/^port \d+$/);
  return Number(line.slice("port ".length));
}

/**
 * @param {object} options
 * @param {string} options.node The Node that the agent runs on.
 * @param {number} options.sampleMs How often the agent says what it holds.
 */
export async function startWorld({ node, sampleMs }) {
  const house = await createHouse();
  try {
    const developerPort = await startService(house, "developer");
    const livePort = await startService(house, "live");
    const managerPort = await freePort();
    const agentPort = await freePort();
    const ports = `{ http: { listen: "127.0.0.1:${agentPort}", upstream: "127.0.0.1:${livePort}" } }`;
    const file = join(house.folder, "clew.yaml");
    await writeFile(
      file,
      `environment: soak\nmanager: { listen: "127.0.0.1:${managerPort}" }\nservices:\n  ${service}: { ports: ${ports} }\n`,
    );
    const manager = await house.start(process.execPath, [clewCommand, "manager", "--config", file]);
    await manager.waitForLine("Clew is up", upTimeoutMs);
    const args = ["--expose-gc", "--import", probe, clewCommand, "agent", service, "--config", file];
    const agent = await house.start(node, args, { SOAK_SAMPLE_MS: String(sampleMs) });
    await agent.waitForLine("Clew is up", upTimeoutMs);
    return {
      developerPort,
      agentPort,
      agent,
      manager: { host: "127.0.0.1", port: managerPort },
      stop: house.stop,
    };
  } catch (error) {
    await house.stop();
    throw error;
  }
}

/** For the control: a live service alone, which spoils large answers. */
export async function startSpoiltService() {
  const house = await createHouse();
  try {
    return { port: await startService(house, "live", "--corrupt"), stop: house.stop };
  } catch (error) {
    await house.stop();
    throw error;
  }
}
