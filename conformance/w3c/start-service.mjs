// @ts-check
import { fileURLToPath } from "node:url";
import { startProcess } from "@clew/testing";

const app = fileURLToPath(new URL("service.cjs", import.meta.url));

/**
 * The service that makes calls for whoever asks it, with nothing but `--import @clew/node`, as participant of traces.
 * @param {{ node?: string, client: string }} options
 */
export async function startService({ node = process.execPath, client }) {
  const child = await startProcess(node, ["--import", import.meta.resolve("@clew/node"), app], {
    env: { CLIENT: client, CLEW_PARTICIPATE: "1", CLEW_SERVICE: "service", CLEW_WARN_MISSING: "0" },
  });
  const [, port] = (await child.waitForLine(/^port \d+$/)).split(" ");
  return {
    url: `http://127.0.0.1:${port}/test`,
    /** Ends the process. */
    close: () => child[Symbol.asyncDispose](),
  };
}
