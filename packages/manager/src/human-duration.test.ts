import assert from "node:assert/strict";
import { test } from "node:test";
import { humanDuration } from "./human-duration.ts";

test("says a duration in its largest whole unit", () => {
  assert.deepEqual(
    [0, 999, 1_000, 59_999, 12 * 60_000, 3_600_000, 47 * 3_600_000, 50 * 86_400_000, -5].map(humanDuration),
    [
      "less than a second",
      "less than a second",
      "1 second",
      "59 seconds",
      "12 minutes",
      "1 hour",
      "1 day",
      "50 days",
      "less than a second",
    ],
  );
});
