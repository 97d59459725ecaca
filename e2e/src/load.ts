import { Agent, get } from "node:http";

/** What an answer may say: the live price, the developer's, or either while things change. */
type Expected = "live" | "developer" | "either";

export const prices = { live: 900, developer: 450 } as const;

export interface LoadReport {
  sent: number;
  answered: number;
  /** Requests with and without the key that got an answer from the wrong side. */
  wrongPlace: number;
  /** Failed though no byte of an answer had come. */
  failed: number;
  /** Intercepted answers that broke off in their middle. */
  cut: number;
  readonly faults: string[];
}

export interface Load {
  readonly report: LoadReport;
  /** What requests with the key that are sent from now on should get. */
  expectKeyed(expected: Expected): void;
  /** Stops sending and waits for the last answer. */
  stop(): Promise<LoadReport>;
}

interface LoadOptions {
  readonly port: number;
  readonly key: string;
  /** Default 200: the rate that the product promises to hold. */
  readonly perSecond?: number;
}

const tickMs = 10;

/** GETs a price through the whole chain at a steady rate; every second request carries the key. */
export function startLoad({ port, key, perSecond = 200 }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const report: LoadReport = { sent: 0, answered: 0, wrongPlace: 0, failed: 0, cut: 0, faults: [] };
  const running = new Set<Promise<void>>();
  const phase: Phase = { number: 0, keyed: "live" };
  const startedAt = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    while (report.sent < due) {
      const withKey = report.sent % 2 === 0;
      report.sent += 1;
      const one = sendOne({ port, agent, key: withKey ? key : undefined, phase, report });
      running.add(one);
      void one.then(() => running.delete(one));
    }
  }, tickMs);
  return {
    report,
    expectKeyed: (expected) => {
      phase.number += 1;
      phase.keyed = expected;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
      agent.destroy();
      return report;
    },
  };
}

interface One {
  readonly port: number;
  readonly agent: Agent;
  readonly key: string | undefined;
  readonly phase: Phase;
  readonly report: LoadReport;
}

/** What requests with the key should get now. */
interface Phase {
  number: number;
  keyed: Expected;
}

function sendOne({ port, agent, key, phase, report }: One): Promise<void> {
  const sentIn = phase.number;
  const expectedThen = key === undefined ? "live" : phase.keyed;
  // A request that was on its way to the developer when things began to change may be answered by either;
  // one that was sent when they had changed has no such excuse.
  const expectedNow = (): Expected =>
    expectedThen === "developer" && phase.number !== sentIn ? "either" : expectedThen;
  return new Promise((resolve) => {
    const headers = key === undefined ? {} : { baggage: `clew-route=${key}` };
    const fault = (counter: "failed" | "cut" | "wrongPlace", what: string): void => {
      report[counter] += 1;
      if (report.faults.length < 20)
        report.faults.push(`${key ?? "no key"} at ${new Date().toISOString()}: ${what}`);
      resolve();
    };
    const request = get({ port, host: "127.0.0.1", path: "/api/quotes/yarn", headers, agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.once("error", (error) => fault(key === undefined ? "failed" : "cut", error.message));
      response.once("end", () => {
        if (response.statusCode !== 200) return fault("failed", `${response.statusCode} ${body}`);
        report.answered += 1;
        const side = sideOf(body);
        const expected = expectedNow();
        if (side === undefined || (expected !== "either" && side !== expected)) {
          return fault("wrongPlace", `expected ${expected}, got ${body.trim()}`);
        }
        resolve();
      });
    });
    request.once("error", (error) => fault("failed", error.message));
  });
}

function sideOf(body: string): Expected | undefined {
  const { cents } = JSON.parse(body);
  if (cents === prices.live) return "live";
  return cents === prices.developer ? "developer" : undefined;
}
