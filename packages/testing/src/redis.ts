import { createConnection } from "node:net";
import { freePort } from "./free-port.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { startProcess, type TestProcess } from "./test-process.ts";
import { until } from "./until.ts";

/** One real Redis on loopback, that keeps nothing on disk. */
export interface TestRedis extends AsyncDisposable {
  readonly port: number;
  stop(): Promise<void>;
  /** SIGSTOP and SIGCONT make a server that takes connections and says nothing. */
  signal(name: NodeJS.Signals): void;
}

/** Another process may take a free port before Redis does. */
const startAttempts = 3;

/** Rejects, and says what to do, when there is no Redis on this machine. */
export async function startRedis(): Promise<TestRedis> {
  const directory = await temporaryDirectory();
  try {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const server = await spawnRedis(port, directory.path);
      if (await isUp(server, port)) return handle(port, server, directory);
      await server.stop();
      if (attempt === startAttempts) throw new Error(`Redis did not start\n${server.stderr}`);
    }
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

function handle(port: number, server: TestProcess, directory: AsyncDisposable): TestRedis {
  const stop = async (): Promise<void> => {
    server.signal("SIGCONT");
    await server.stop();
  };
  return {
    port,
    stop,
    signal: (name) => server.signal(name),
    async [Symbol.asyncDispose]() {
      await stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function spawnRedis(port: number, path: string): Promise<TestProcess> {
  const options = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--dir",
    path,
    "--save",
    "",
    "--appendonly",
    "no",
  ];
  try {
    return await startProcess("redis-server", options);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new Error(
      "The program redis-server is not on this machine: run `npm run setup`, which installs it.",
      {
        cause,
      },
    );
  }
}

/** False when the server ended before it could be reached. */
async function isUp(server: TestProcess, port: number): Promise<boolean> {
  let over = false;
  void server.exited.then(() => {
    over = true;
  });
  await until(async () => over || (await accepts(port)), {
    timeoutMs: 10_000,
    what: `Redis at port ${port}`,
  });
  return !over;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
