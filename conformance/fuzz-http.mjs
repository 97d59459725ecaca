// @ts-check
// npm run fuzz:http -- [--count N] [--seed S] [--from N] [--require nginx,haproxy] [--quick] [--json]
// Generated and damaged messages, sequences and bodies: our parser understands them the same whole and in pieces, and what it takes,
// Node's parser understands alike; so do nginx and HAProxy of some, and some go through the running proxy. The same seed makes the same inputs; --from N --count 1 repeats one.
import { finish, lineWriter, parseFlags, refuse, table, wholeNumber } from "../scripts/command.mjs";
import { peerNames, startPeer } from "./http/peers.mjs";
import { fuzz } from "./http-fuzz/run.mjs";
import { fuzzThroughProxy } from "./http-fuzz/through-proxy.mjs";

const command = "fuzz:http";
/** Sockets take a hundred times as long as parsers. */
const throughEvery = 100;
const text = { type: /** @type {const} */ ("string") };
const flags = parseFlags(command, { count: text, seed: text, from: text, require: text });
const write = lineWriter(flags.json === true);
const most = 2 ** 31 - 1;
const count = wholeNumber(command, "count", flags.count ?? (flags.quick ? 5_000 : 1_000_000), {
  min: 1,
  max: most,
});
const seed = wholeNumber(command, "seed", flags.seed ?? Date.now() % most, { min: 0, max: most });
const from = wholeNumber(command, "from", flags.from ?? 0, { min: 0, max: most });
const required = (flags.require ?? "").split(",").filter((name) => name !== "");

const peers = [];
for (const name of peerNames) {
  const peer = await startPeer(name);
  if (peer !== undefined) peers.push(peer);
  else if (required.includes(name)) refuse(command, `${name} is required, but not installed`);
}
const result = await fuzz({
  ...{ count, seed, from, peers },
  onBatch: (done) => {
    if (done % 64_000 === 0) write(`${done} of ${count}`);
  },
});
for (const peer of peers) await peer.close();
const through = await fuzzThroughProxy({
  count: Math.ceil(count / throughEvery),
  seed,
  from,
  every: throughEvery,
});
write(table([["outcome", "times"], ...Object.entries(result.outcomes)]));
for (const { input, side, bytes, shrunk, faults } of result.findings) {
  write(`${side} ${input} of seed ${seed}: ${bytes}`);
  write(`    as short as it gets: ${shrunk}`);
  for (const fault of faults) write(`    ${fault}`);
}
for (const { input, bytes, cuts, faults } of through.findings) {
  write(`through the proxy, ${input} of seed ${seed}, cut at ${cuts.join(", ")}: ${bytes}`);
  for (const fault of faults) write(`    ${fault}`);
}
finish({ ...result, passed: result.passed && through.passed, throughProxy: through });
