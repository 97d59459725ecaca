// A node:test reporter that leaves one line of JSON: how many tests ran, passed, failed and were skipped.
const counted = new Map([
  ["tests", "tests"],
  ["pass", "passed"],
  ["fail", "failed"],
  ["cancelled", "failed"],
  ["skipped", "skipped"],
  ["todo", "skipped"],
]);

export default async function* countReporter(source) {
  const counts = { tests: 0, passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of source) {
    if (type !== "test:diagnostic") continue;
    const [, name, count] = /^(\w+) (\d+)$/.exec(data.message) ?? [];
    const counter = counted.get(name);
    if (counter !== undefined) counts[counter] += Number(count);
  }
  yield `${JSON.stringify(counts)}\n`;
}
