import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { exitCodeOf } from "../../errors.ts";
import { askTwice } from "./ask-password.ts";

/** A terminal at which this is typed, line by line, each when it is asked for. */
function typing(...typed: readonly string[]): {
  readonly terminal: Parameters<typeof askTwice>[0];
  shown(): string;
} {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const waiting = [...typed];
  let shown = "";
  const write = (text: string): void => {
    shown += text;
    if (text.endsWith(": ")) void turn().then(() => stdin.write(waiting.shift() ?? "\u0004"));
  };
  return { terminal: { stdin, stderr: { write } }, shown: () => shown };
}

test("the password is what was typed twice, and is shown nowhere", async () => {
  const { terminal, shown } = typing("correct horse\r", "correct horse\r");
  assert.equal(await askTwice(terminal), "correct horse");
  assert.equal(shown(), "Password for visitors: \nThe same again: \n");
});

test("two that differ are refused", async () => {
  await assert.rejects(askTwice(typing("correct horse\r", "correct house\r").terminal), {
    code: "E_PASSWORD",
  });
});

for (const [name, key] of [
  ["Ctrl-C", "\u0003"],
  ["Ctrl-D", "\u0004"],
] as const) {
  test(`${name} ends the question as an interruption, not as a fault`, async () => {
    const error: unknown = await askTwice(typing(key).terminal).catch((reason: unknown) => reason);
    assert.equal(exitCodeOf(error), 130);
  });
}

test("without a terminal nothing is asked", async () => {
  const stdin = new PassThrough();
  await assert.rejects(askTwice({ stdin, stderr: { write: () => assert.fail("nothing is written") } }), {
    code: "E_USAGE",
  });
});
