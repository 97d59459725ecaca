import { freePort } from "./free-port.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { startProcess, type TestProcess } from "./test-process.ts";
import { until } from "./until.ts";

/** One real etcd on loopback, with its data in a temporary directory. */
export interface TestEtcd extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same data, after ending it if it runs. */
  restart(): Promise<void>;
  /** SIGSTOP and SIGCONT make a server that takes connections and says nothing. */
  signal(name: NodeJS.Signals): void;
}

/** Elections in a tenth of the usual time: ready sooner, and leases may be as short as one second. */
const quickElections = ["--heartbeat-interval=10", "--election-timeout=100"];
/** Another process may take a free port before etcd does. */
const startAttempts = 3;

/** Rejects, and says what to do, when there is no etcd on this machine. */
export async function startEtcd(): Promise<TestEtcd> {
  const directory = await temporaryDirectory();
  try {
    for (let attempt = 1; ; attempt += 1) {
      const [clientPort, peerPort] = await Promise.all([freePort(), freePort()]);
      const start = (): Promise<TestProcess> =>
        startAt(
          `${directory.path}/${attempt}`,
          `http://127.0.0.1:${clientPort}`,
          `http://127.0.0.1:${peerPort}`,
        );
      try {
        return handle(`http://127.0.0.1:${clientPort}`, await start(), start, directory);
      } catch (error) {
        const taken = error instanceof Error && error.message.includes("address already in use");
        if (!taken || attempt === startAttempts) throw error;
      }
    }
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

function handle(
  url: string,
  first: TestProcess,
  start: () => Promise<TestProcess>,
  directory: AsyncDisposable,
): TestEtcd {
  let server = first;
  return {
    url,
    stop: async () => void (await server.stop()),
    async kill() {
      server.signal("SIGKILL");
      await server.exited;
    },
    async restart() {
      await server.stop();
      server = await start();
    },
    signal: (name) => server.signal(name),
    async [Symbol.asyncDispose]() {
      server.signal("SIGCONT");
      await server.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function startAt(directory: string, clientUrl: string, peerUrl: string): Promise<TestProcess> {
  const server = await spawnEtcd([
    "--name=test",
    `--data-dir=${directory}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=test=${peerUrl}`,
    "--logger=zap",
    "--log-level=error",
    ...quickElections,
  ]);
  let over = false;
  void server.exited.then(() => {
    over = true;
  });
  const healthy = async (): Promise<boolean> => over || (await isHealthy(clientUrl));
  try {
    await until(healthy, { timeoutMs: 20_000, what: `etcd ready at ${clientUrl}` });
    if (over) throw new Error("etcd ended at once");
    return server;
  } catch (error) {
    await server.stop();
    throw new Error(`${(error as Error).message}\n${server.stderr}`, { cause: error });
  }
}

async function spawnEtcd(options: readonly string[]): Promise<TestProcess> {
  try {
    return await startProcess("etcd", options);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new Error("The program etcd is not on this machine: run `npm run setup`, which installs it.", {
      cause,
    });
  }
}

async function isHealthy(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) });
  return ((await response.json()) as { health?: string }).health === "true";
}
