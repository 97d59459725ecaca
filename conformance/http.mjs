// @ts-check
// npm run conformance:http -- [--llhttp DIR] [--require nginx,haproxy] [--only TEXT] [--quick] [--json]
// What our parser takes, all others understand alike; what they might not, we refuse. Asked are Node's parser, and nginx and HAProxy
// where they are installed; and the proxy itself, as a black box. DIR: a checkout of nodejs/llhttp, whose messages are asked as well.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { finish, lineWriter, parseFlags, refuse, table } from "../scripts/command.mjs";
import { escaped, loadCases } from "./http/cases.mjs";
import { readCorpus, withHost } from "./http/llhttp.mjs";
import { peerNames, startPeer } from "./http/peers.mjs";
import { policiesFor } from "./http/policies.mjs";
import { askNode, askPeer, askSplit, judgeCase, readOurselves } from "./http/run.mjs";
import { startBlackBox } from "./http/through-proxy.mjs";

const command = "conformance:http";
const text = { type: /** @type {const} */ ("string") };
const flags = parseFlags(command, { llhttp: text, require: text, only: text });
const write = lineWriter(flags.json === true);
const required = (flags.require ?? "").split(",").filter((name) => name !== "");
for (const name of required) {
  if (!peerNames.some((peer) => peer === name))
    refuse(command, `--require knows ${peerNames.join(", ")}, not ${name}`);
}
if (flags.llhttp !== undefined && !existsSync(join(flags.llhttp, "test", "request"))) {
  refuse(
    command,
    `--llhttp DIR names a checkout of nodejs/llhttp; no ${join(flags.llhttp, "test", "request")}`,
  );
}
/** One in three is quick. */
const isChosen = (/** @type {unknown} */ _, /** @type {number} */ index) => !flags.quick || index % 3 === 0;
const cases = loadCases()
  .filter(({ key }) => key.includes(flags.only ?? ""))
  .filter(isChosen);
const corpus = flags.llhttp === undefined ? [] : readCorpus(flags.llhttp).filter(isChosen);

const peers = [];
for (const name of peerNames) {
  const peer = await startPeer(name);
  if (peer !== undefined) peers.push(peer);
  else if (required.includes(name)) refuse(command, `${name} is required, but not installed`);
}

/** @type {Map<string, { asked: number, failed: number }>} */
const tallies = new Map();
let failures = 0;

/** Notes what a judge found of one message, and says it. */
function note(
  /** @type {string} */ judge,
  /** @type {string} */ key,
  /** @type {Buffer} */ bytes,
  /** @type {readonly string[] | undefined} */ faults,
) {
  if (faults === undefined) return;
  const tally = tallies.get(judge) ?? { asked: 0, failed: 0 };
  tallies.set(judge, tally);
  tally.asked++;
  if (faults.length === 0) return;
  tally.failed++;
  failures++;
  const shown = escaped(bytes);
  write(`${judge}: ${key}: ${shown.length > 400 ? `${shown.slice(0, 400)}…` : shown}`);
  for (const fault of faults) write(`    ${fault}`);
}

/** Puts one message to every reader. */
async function ask(
  /** @type {string} */ group,
  /** @type {string} */ key,
  /** @type {import("./http/run.mjs").Subject} */ subject,
) {
  const ours = readOurselves(subject);
  note(`${group}: cut everywhere`, key, subject.bytes, askSplit(subject, ours));
  note(`${group}: node`, key, subject.bytes, await askNode(subject, ours));
  for (const peer of peers)
    note(`${group}: ${peer.name}`, key, subject.bytes, await askPeer(subject, ours, peer));
  return ours;
}

for (const one of cases) {
  const ours = await ask("cases", one.key, one);
  note("cases: as expected", one.key, one.bytes, judgeCase(one, ours));
}

for (const { key, side, bytes, refused } of corpus) {
  for (const [variant, message] of /** @type {const} */ ([
    ["", bytes],
    [" with a host", side === "request" ? withHost(bytes) : undefined],
  ])) {
    if (message === undefined) continue;
    const { messages } = readOurselves({ bytes: message, side });
    const stricter = policiesFor(messages, message);
    const ours = await ask("llhttp", key + variant, { bytes: message, side, stricter });
    // After a close they refuse what follows; we do not read it.
    const isTaken = ours.end === "open" && messages.length > 0 && messages.every(({ complete }) => complete);
    const takesMore = refused && isTaken && stricter["node"] === undefined;
    note("llhttp: its log", key + variant, message, takesMore ? ["refused by its log, but not by us"] : []);
  }
}

const box = await startBlackBox();
for (const one of cases) {
  if (one.unfinished !== true) note("cases: the proxy itself", one.key, one.bytes, await box.check(one));
}
await box.close();
for (const peer of peers) await peer.close();

write(
  table([
    ["judge", "asked", "failed"],
    ...[...tallies].map(([name, { asked, failed }]) => [name, asked, failed]),
  ]),
);
finish({
  passed: failures === 0,
  cases: cases.length,
  corpus: corpus.length,
  judges: ["node", ...peers.map(({ name }) => name)],
  tallies: Object.fromEntries(tallies),
});
