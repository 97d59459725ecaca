import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  baggageLimits,
  checkBaggage,
  checkTracestate,
  decodeFieldName,
  decodeFieldValue,
  encodeFieldValue,
  fieldValueText,
  findBaggageValue,
  formatTraceparent,
  type JsonValue,
  parseTraceparent,
  readBaggage,
  repairBaggage,
} from "../index.ts";

type Part = string | { repeat: string; times: number };

function readCases<T>(file: string): T[] {
  const url = new URL(`../../vectors/${file}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { cases: T[] }).cases;
}

function join(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === "string" ? part : part.repeat.repeat(part.times))).join("");
}

interface BaggageCase {
  title: string;
  header: Part[];
  kept?: Part[];
  malformed?: number;
  overlong?: number;
  truncated?: boolean;
  fields: [Part, Part][];
}

for (const vector of readCases<BaggageCase>("baggage")) {
  test(`baggage: ${vector.title}`, () => {
    const header = join(vector.header);
    const isClean = vector.kept === undefined;
    const repaired = repairBaggage(header);
    const kept = isClean ? header : repaired.text;
    assert.equal(checkBaggage(header), isClean ? [...readBaggage(header)].length : -1);
    assert.equal(kept, join(vector.kept ?? vector.header));
    assert.equal(checkBaggage(kept), repaired.members);
    assert.deepEqual(
      [repaired.malformed, repaired.overlong, repaired.truncated],
      [vector.malformed ?? 0, vector.overlong ?? 0, vector.truncated ?? false],
    );
    const keys = [...new Set([...readBaggage(kept)].map((member) => member.key))];
    assert.deepEqual(
      keys.map((key) => [decodeFieldName(key), decodeFieldValue(findBaggageValue(kept, key) ?? "none")]),
      vector.fields.map(([name, value]) => [join([name]), join([value])]),
    );
  });
}

interface ValueCase {
  value: JsonValue;
  encoded: string;
  text: string;
  readOnly?: boolean;
}

for (const { value, encoded, text, readOnly } of readCases<ValueCase>("field-values")) {
  test(`field value: ${encoded} is ${JSON.stringify(value)}`, () => {
    assert.deepEqual(decodeFieldValue(encoded), value);
    assert.equal(fieldValueText(encoded), text);
    if (readOnly !== true) assert.equal(encodeFieldValue(value), encoded);
    assert.ok(checkBaggage(`a=${encoded}`, baggageLimits) === 1, "is fit for a header");
  });
}

interface TraceparentCase {
  title: string;
  header: string;
  parts: [string, string, number] | null;
  next?: string;
}

for (const { title, header, parts, next } of readCases<TraceparentCase>("traceparent")) {
  test(`traceparent: ${title}`, () => {
    const parsed = parseTraceparent(header);
    assert.deepEqual(parsed && [parsed.traceId, parsed.parentId, parsed.flags], parts ?? undefined);
    if (parsed !== undefined) assert.equal(formatTraceparent(parsed), next);
  });
}

for (const { title, header, members } of readCases<{ title: string; header: Part[]; members: number }>(
  "tracestate",
)) {
  test(`tracestate: ${title}`, () => {
    assert.equal(checkTracestate(join(header)), members);
  });
}
