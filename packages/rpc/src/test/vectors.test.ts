import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { createServer } from "../server/create-server.ts";
import { anything, isNumber, type Listening, listen, nothing, number, object } from "./fixtures.ts";

interface Vector {
  readonly name: string;
  readonly source: string;
  readonly request?: unknown;
  readonly text?: string;
  readonly base64?: string;
  readonly expect: {
    readonly status: number;
    readonly id: string | null;
    readonly result?: unknown;
    readonly errors?: ReadonlyArray<{ code: string; pointer?: string; position?: number }>;
    readonly details?: unknown;
  };
}

const file = await readFile(new URL("../../vectors/envelope.json", import.meta.url), "utf8");
const { cases } = JSON.parse(file) as { cases: Vector[] };

let service: Listening;
before(async () => {
  service = await listen(createVectorServer());
});
after(() => service[Symbol.asyncDispose]());

for (const vector of cases) {
  test(`${vector.name} (${vector.source})`, async () => {
    const { status, document } = await post(bodyOf(vector));
    const { errors, ...rest } = document;
    const { expect } = vector;
    assert.deepEqual(rest["protocol"], { name: "forrst", version: "0.1.0" });
    assert.equal(status, expect.status);
    assert.equal(rest["id"], expect.id);
    assert.deepEqual(rest["result"], expect.result ?? null);
    assert.deepEqual(
      errors?.map(({ code, source }) => ({ code, ...source })),
      expect.errors,
    );
    if (expect.details !== undefined) assert.deepEqual(errors?.[0]?.details, expect.details);
  });
}

function createVectorServer(): ReturnType<typeof createServer> {
  const server = createServer({ service: "vectors" });
  const echo = (version: string) => ({
    version,
    arguments: anything,
    result: anything,
    handler: (args: unknown) => ({ version, arguments: args }),
  });
  return server
    .function("echo.call", echo("2.0.0"))
    .function("echo.call", echo("3.0.0-beta.1"))
    .function("echo.call", echo("1.0.0"))
    .function("echo.beta", echo("1.0.0-beta.1"))
    .function("numbers.add", {
      version: "1.0.0",
      arguments: object<{ a: number; b: number }>({ a: isNumber, b: isNumber }),
      result: number,
      handler: ({ a, b }) => a + b,
    })
    .implementStream(
      { name: "events.count", version: "1.0.0", arguments: nothing, event: number },
      async function* () {},
    );
}

function bodyOf({ request, text, base64 }: Vector): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, "base64");
  return Buffer.from(text ?? JSON.stringify(request));
}

interface Answer {
  readonly errors?: ReadonlyArray<{ code: string; source?: object; details?: unknown }>;
  readonly [member: string]: unknown;
}

async function post(body: Buffer): Promise<{ status: number; document: Answer }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(service.url, { method: "POST", headers, body: new Uint8Array(body) });
  assert.equal(response.headers.get("content-type"), "application/json");
  return { status: response.status, document: (await response.json()) as Answer };
}
