// @ts-check
// The same agent with an empty table and with 10,000 overrides in turns: two processes are never alike enough to tell 3 %.
import { setTimeout } from "node:timers/promises";
import { wrkLoad } from "./generators.mjs";
import { median, shuffled, takeTurn } from "./measure.mjs";
import { startBackEnd, startPeer } from "./peers.mjs";
import { manyOverrides } from "./table-source.mjs";

/** For what a table leaves to be done once it is in use, such as collecting the one before. */
const settleMs = 300;

/** Without a routing key, and with one whose route has no override here: it has to be looked for. */
const kinds = { "no key": {}, "a key of another route": { route: "elsewhere" } };

/**
 * @param {object} options
 * @param {import("./peers.mjs").World} options.world
 * @param {number} options.rounds
 * @param {number} options.turnMs
 * @param {number} options.warmUpMs
 */
export async function measureOverrides({ world, rounds, turnMs, warmUpMs }) {
  const backEnd = await startBackEnd(world, "nginx");
  try {
    const agent = await startPeer(world, "clew", backEnd.port);
    try {
      const turns = [];
      const wrk = world.programs["wrk"] ?? "";
      const cells = Object.entries(kinds).flatMap(([kind, fields]) =>
        [0, manyOverrides].map((overrides) => ({
          kind,
          overrides,
          generator: wrkLoad({ wrk, folder: world.folder, path: "/small", connections: 64, fields }),
        })),
      );
      for (let round = -1; round < rounds; round += 1) {
        for (const { kind, overrides, generator } of shuffled(cells)) {
          await world.tables.use("clew", agent.port, overrides);
          await setTimeout(settleMs);
          const ms = round < 0 ? warmUpMs : turnMs;
          const turn = await takeTurn(agent, { generator, pids: [backEnd.pid], turnMs: ms, round });
          if (round >= 0) turns.push({ kind, overrides, ...turn });
        }
      }
      return Object.keys(kinds).map((kind) => summarize(turns, kind, rounds));
    } finally {
      await agent.stop();
    }
  } finally {
    await backEnd.stop();
  }
}

/**
 * The ratio is that of two turns of one round.
 * @param {readonly (import("./measure.mjs").Turn & { kind: string, overrides: number })[]} turns
 * @param {string} kind @param {number} rounds
 */
function summarize(turns, kind, rounds) {
  const cpuOf = (/** @type {number} */ round, /** @type {number} */ overrides) =>
    turns.find((turn) => turn.kind === kind && turn.round === round && turn.overrides === overrides)?.cpuUs ??
    Number.NaN;
  const all = Array.from({ length: rounds }, (_, round) => round);
  return {
    kind,
    emptyCpuUs: median(all.map((round) => cpuOf(round, 0))),
    manyCpuUs: median(all.map((round) => cpuOf(round, manyOverrides))),
    ratio: median(all.map((round) => cpuOf(round, manyOverrides) / cpuOf(round, 0))),
  };
}
