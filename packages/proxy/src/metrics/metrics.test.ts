import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "./histogram.ts";
import { formatMetrics, type MetricFamily, sumMetrics } from "./metrics.ts";

test("a family is written with its help and type, and labels are escaped", () => {
  const family: MetricFamily = {
    name: "clew_x_total",
    type: "counter",
    help: "Two\nlines and a \\.",
    samples: [
      { labels: {}, value: 1 },
      { labels: { a: 'say "hi"\\\n', b: "2" }, value: 0.5 },
    ],
  };
  assert.equal(
    formatMetrics([family]),
    '# HELP clew_x_total Two\\nlines and a \\\\.\n# TYPE clew_x_total counter\nclew_x_total 1\nclew_x_total{a="say \\"hi\\"\\\\\\n",b="2"} 0.5\n',
  );
});

test("a histogram's buckets hold all that is not above them", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value);
  assert.deepEqual(
    histogram.samples({ port: "http" }).map(({ suffix, labels, value }) => [suffix, labels["le"], value]),
    [
      ["_bucket", "0.1", 2],
      ["_bucket", "1", 3],
      ["_bucket", "+Inf", 4],
      ["_sum", undefined, 7.65],
      ["_count", undefined, 4],
    ],
  );
});

test("several say one sum: the same name and labels are added, others stand beside", () => {
  const of = (port: string, value: number): MetricFamily => ({
    name: "clew_requests_total",
    type: "counter",
    help: "h",
    samples: [{ labels: { port }, value }],
  });
  assert.deepEqual(sumMetrics([[of("a", 1), of("b", 2)], [of("a", 3)]]), [
    {
      ...of("a", 0),
      samples: [
        { labels: { port: "a" }, value: 4 },
        { labels: { port: "b" }, value: 2 },
      ],
    },
  ]);
});
