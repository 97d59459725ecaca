// @ts-check
import { leftOpen, openDescriptors } from "./descriptors.mjs";
import { Developer } from "./developer.mjs";
import { Load } from "./load.mjs";
import { judgeMemory, parseSamples } from "./memory.mjs";
import { Place } from "./place.mjs";
import { Tally } from "./tally.mjs";
import { service, startSpoiltService, startWorld } from "./world.mjs";

/** How often the agent says what it holds. */
const sampleMs = 5_000;

const keyed = (/** @type {string} */ route) => ({
  baggage: `tenant_id=acme,caller=soak,clew-route=${route}`,
});

/** Each as often as it is listed: half carries no key, as most traffic of a system does. */
function createPlaces() {
  const plain = new Place("live", { baggage: "tenant_id=acme,user_id=u-4711,caller=soak" });
  const bare = new Place("live without a context", {});
  const elsewhere = new Place("a route without an override", keyed("elsewhere"));
  const places = {
    steady: new Place("steady", keyed("steady")),
    shared: new Place("shared", keyed("shared")),
    address: new Place("address", keyed("address")),
    session: new Place("session", keyed("session")),
    rule: new Place("rule", { "x-soak": "rule" }),
  };
  const asked = [...Array(6).fill(plain), ...Array(3).fill(bare), elsewhere, places.steady, places.steady];
  return { places, asked: [...asked, ...Object.values(places)], lasting: [plain, places.steady, bare] };
}

/**
 * @param {object} options
 * @param {string} options.node The Node that the agent runs on.
 * @param {number} options.rate
 * @param {number} options.ms
 * @param {AbortSignal} options.signal Ends it early.
 * @param {(progress: ReturnType<typeof progressOf>) => void} [options.onProgress]
 * @param {number} [options.progressMs]
 */
export async function soakProxy({ node, rate, ms, signal, onProgress = () => {}, progressMs = 30_000 }) {
  const tally = new Tally();
  const world = await startWorld({ node, sampleMs });
  try {
    const { agent, agentPort, developerPort, manager } = world;
    const developer = new Developer({ manager, agentPort, developerPort, tally, service });
    const { places, asked, lasting } = createPlaces();
    await developer.start(places);
    const openBefore = openDescriptors(agent.pid);
    const startedAt = performance.now();
    const samples = () => parseSamples(agent.stdout, sampleMs);
    const timer = setInterval(() => {
      onProgress(progressOf(performance.now() - startedAt, tally, developer.made, samples().at(-1)));
    }, progressMs);
    const load = new Load({ port: agentPort, tally, places: asked, lasting });
    try {
      await load.run({ rate, ms, signal });
    } finally {
      clearInterval(timer);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    await developer.close();
    return {
      ...reportOf(tally),
      seconds: Math.round(seconds),
      perSecond: Math.round(tally.sent / seconds),
      heldBack: load.heldBack,
      overrides: developer.made,
      leftOpen: await leftOpen(agent.pid, openBefore),
      memory: judgeMemory(samples()),
      stderr: agent.stderr,
    };
  } finally {
    await world.stop();
  }
}

/**
 * The control: the same load without an agent, so that nobody follows an override, and with large answers that are spoilt.
 * @param {{ rate: number, ms: number }} options
 */
export async function soakWithoutAgent({ rate, ms }) {
  const tally = new Tally();
  const world = await startSpoiltService();
  try {
    const { places, asked, lasting } = createPlaces();
    places.steady.become("developer");
    const { signal } = new AbortController();
    await new Load({ port: world.port, tally, places: asked, lasting }).run({ rate, ms, signal });
    return reportOf(tally);
  } finally {
    await world.stop();
  }
}

/** @param {Tally} tally */
function reportOf({ sent, right, wrongPlace, wrongBytes, failed, errors, byKind, faults }) {
  return { sent, right, wrongPlace, wrongBytes, failed, errors, byKind, faults };
}

/** @param {number} ms @param {Tally} tally @param {number} overrides @param {import("./memory.mjs").Sample | undefined} sample */
function progressOf(ms, { sent, errors, faults }, overrides, sample) {
  return { seconds: Math.round(ms / 1_000), sent, errors, fault: faults.at(-1), overrides, sample };
}
