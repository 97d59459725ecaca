import assert from "node:assert/strict";
import { test } from "node:test";
import { baggageLimits } from "@clew/wire";
import { extractContext, injectContext, kafkaCarrier } from "../index.ts";
import { createFieldVerifier } from "../signing/index.ts";

type Method = (this: string, ...args: never[]) => unknown;
type Counted = "charCodeAt" | "indexOf" | "lastIndexOf" | "slice" | "split" | "replaceAll";

/** Characters that a call of a string's method looks at or copies. */
const charactersOf: Record<Counted, (text: string, args: readonly unknown[], result: unknown) => number> = {
  charCodeAt: () => 1,
  slice: (_, __, result) => (result as string).length,
  indexOf: (text, [, from = 0], result) =>
    ((result as number) < 0 ? text.length : (result as number)) - (from as number),
  lastIndexOf: (text, [, from = text.length], result) =>
    Math.min(from as number, text.length) - (result as number),
  split: (text) => text.length,
  replaceAll: (text) => text.length,
};

/** How many characters are looked at while `act` runs: work, not time, so that it is the same on every machine. */
function countCharacters(act: () => void): number {
  const prototype = String.prototype as unknown as Record<Counted, Method>;
  const originals = { ...Object.fromEntries(names.map((name) => [name, prototype[name]])) } as Record<
    Counted,
    Method
  >;
  let characters = 0;
  for (const name of names) {
    prototype[name] = function (this: string, ...args: never[]): unknown {
      const result = originals[name].apply(this, args);
      characters += charactersOf[name](this, args, result);
      return result;
    };
  }
  try {
    act();
  } finally {
    for (const name of names) prototype[name] = originals[name];
  }
  return characters;
}
const names = Object.keys(charactersOf) as Counted[];

const quiet = (): void => undefined;

function workOf(baggage: string | readonly string[]): number {
  return countCharacters(() => {
    const context = extractContext((name) => (name === "baggage" ? baggage : undefined), { onFault: quiet });
    injectContext(context, quiet, { service: "orders", onFault: quiet });
  });
}

/** What the fullest header costs that is still within the limits. */
const full = Array.from({ length: 64 }, (_, i) => `k${i}=${"v".repeat(120)}`).join(",");
const fullWork = workOf(full);

const hostile: Readonly<Record<string, (bytes: number) => string | readonly string[]>> = {
  "thousands of members": (bytes) => "a=1,".repeat(bytes / 4),
  "one endless member": (bytes) => `a=${"x".repeat(bytes)}`,
  "nothing but commas": (bytes) => ",".repeat(bytes),
  "nothing but spaces": (bytes) => " ".repeat(bytes),
  "malformed members": (bytes) => "=,".repeat(bytes / 2),
  "members with long names": (bytes) => `${"n".repeat(300)}=1,`.repeat(bytes / 303),
  "escapes all over": (bytes) => "a=%41%GG,".repeat(bytes / 9),
  "properties all over": (bytes) => `a=1${";p ".repeat(bytes / 3)}`,
  "spaces behind the first half of the limit": (bytes) => `${"a=1,".repeat(30)}b=2${" ".repeat(bytes)}`,
  "thousands of lines": (bytes) => Array.from({ length: bytes / 4 }, () => "a=1"),
};

test("the count sees the work of an ordinary header", () => {
  assert.ok(full.length > 7_500 && full.length <= baggageLimits.maxBytes);
  assert.ok(fullWork >= full.length && fullWork < 2 * full.length, `${fullWork}`);
});

for (const [title, create] of Object.entries(hostile)) {
  test(`hostile input, ${title}: 64 KiB cost no more than the limit's worth, and a megabyte not more than that`, () => {
    const work = workOf(create(65_536));
    assert.ok(work <= 6 * baggageLimits.maxBytes, `${work} characters were looked at`);
    assert.equal(workOf(create(1_048_576)), work);
  });
}

test("a broker's message of a megabyte costs no more either", () => {
  const carrier = kafkaCarrier({ baggage: Buffer.alloc(1_048_576, "a=1,") });
  const work = countCharacters(() => void extractContext(carrier, { onFault: quiet }));
  assert.ok(work <= 6 * baggageLimits.maxBytes, `${work} characters were looked at`);
});

test("a signature over thousands of names costs no look for each of them", () => {
  const baggage = `tenant_id=acme,clew-sig=1.k1.9999999999.n.x.${"aa:".repeat(2_500)}a`;
  const context = extractContext((name) => (name === "baggage" ? baggage : undefined));
  const secret = "0123456789abcdef0123456789abcdef";
  const verifier = createFieldVerifier({ secrets: { k1: secret }, fields: ["tenant_id"], onFault: quiet });
  const work = countCharacters(() => void verifier.verify(context));
  // A dozen passes over the header, where a look for each name would be thousands.
  assert.ok(work <= 16 * baggageLimits.maxBytes, `${work} characters were looked at`);
  assert.equal(verifier.verify(context).size, 0);
});
