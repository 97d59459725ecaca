// @ts-check
// Whether an agent's memory stays where it is: slopes of straight lines through samples, after a warm-up.

/** Until then heaps grow to what they need, and code is compiled. */
const warmUpShare = 1 / 5;
/** Shorter ones show nothing: chance alone moves some MiB. */
const leastJudgedMs = 8 * 60_000;

/** At 2,000 requests a second, one byte that each of them left behind would be 7 MiB in an hour. */
export const mostMiBPerHour = {
  /** After collections nothing moves it but what is held: half a byte for each request. */
  heap: 4,
  /** The allocator keeps pages and gives them back as it likes: two bytes for each request. */
  rss: 16,
};

const mib = 1024 * 1024;

/** @typedef {{ atMs: number, rss: number, heapUsed: number, external: number }} Sample */

/** @param {string} output What the agent has written. @param {number} intervalMs @returns {Sample[]} */
export function parseSamples(output, intervalMs) {
  return output
    .split("\n")
    .filter((line) => line.startsWith("memory {"))
    .map((line, index) => ({ atMs: (index + 1) * intervalMs, ...JSON.parse(line.slice("memory ".length)) }));
}

/** @param {readonly Sample[]} samples */
export function judgeMemory(samples) {
  const lastMs = samples.at(-1)?.atMs ?? 0;
  const warm = samples.filter(({ atMs }) => atMs >= lastMs * warmUpShare);
  const heap = slope(warm, ({ heapUsed }) => heapUsed);
  const rss = slope(warm, (sample) => sample.rss);
  const isJudged = lastMs * (1 - warmUpShare) >= leastJudgedMs;
  return {
    isJudged,
    isFlat: heap <= mostMiBPerHour.heap && rss <= mostMiBPerHour.rss,
    samples: warm.length,
    heapMiBPerHour: Number(heap.toFixed(2)),
    rssMiBPerHour: Number(rss.toFixed(2)),
    heapMiB: range(warm, ({ heapUsed }) => heapUsed),
    rssMiB: range(warm, (sample) => sample.rss),
  };
}

/**
 * Least squares, in MiB per hour.
 * @param {readonly Sample[]} samples @param {(sample: Sample) => number} take
 */
export function slope(samples, take) {
  const mean = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length;
  const middleAt = mean(samples.map(({ atMs }) => atMs));
  const middle = mean(samples.map(take));
  let covariance = 0;
  let variance = 0;
  for (const sample of samples) {
    covariance += (sample.atMs - middleAt) * (take(sample) - middle);
    variance += (sample.atMs - middleAt) ** 2;
  }
  return variance === 0 ? 0 : ((covariance / variance) * 3_600_000) / mib;
}

/** First, lowest and highest. @param {readonly Sample[]} samples @param {(sample: Sample) => number} take */
function range(samples, take) {
  const values = samples.map((sample) => Number((take(sample) / mib).toFixed(1)));
  return { first: values[0], last: values.at(-1), least: Math.min(...values), most: Math.max(...values) };
}
