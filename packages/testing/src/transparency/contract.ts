import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { until } from "../until.ts";
import { comparable, comparableAnswers } from "./compare.ts";
import { conversationCases } from "./conversations.ts";
import { endingCases } from "./endings.ts";
import { allExchanges } from "./exchanges.ts";
import { largeBodyCases } from "./large-bodies.ts";
import { PlayedClient, type PlayedUpstream, recordOf, startPlayedUpstream } from "./play.ts";
import {
  caseTimeoutMs,
  type Exchange,
  type Forwarder,
  type Record,
  type TransparencyOptions,
} from "./types.ts";

/**
 * Invariant I1, transparent: whatever is sent straight to an upstream and through what is tested arrives the same, byte by byte, but
 * for the lines of each hop; and what breaks off breaks off for the other side as well. Call it once per implementation.
 */
export function transparencyContract(name: string, options: TransparencyOptions): void {
  describe(`transparency of ${name}`, () => {
    exchangeCases(options);
    cutCases(options);
    largeBodyCases(options);
    conversationCases(options);
    endingCases(options);
  });
}

interface Stage extends AsyncDisposable {
  readonly upstream: PlayedUpstream;
  readonly straight: PlayedClient;
  readonly through: PlayedClient;
}

/** An upstream, and a client's connection to it and to what is tested. */
async function stageFor(exchanges: readonly Exchange[], options: TransparencyOptions): Promise<Stage> {
  const upstream = await startPlayedUpstream((number) => exchanges[number]);
  const forwarder: Forwarder = await options.start(upstream.port);
  const straight = new PlayedClient(upstream.port);
  const through = new PlayedClient(forwarder.port);
  return {
    upstream,
    straight,
    through,
    [Symbol.asyncDispose]: async () => {
      await straight[Symbol.asyncDispose]();
      await through[Symbol.asyncDispose]();
      await forwarder[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

function assertSame(through: Record, straight: Record, title: string, options: TransparencyOptions): void {
  const own = options.ownRequestHeaders ?? [];
  assert.deepEqual(
    comparable(through.request, own),
    comparable(straight.request, own),
    `request of ${title}`,
  );
  assert.deepEqual(
    comparableAnswers(through.answer),
    comparableAnswers(straight.answer),
    `answer of ${title}`,
  );
}

function exchangeCases(options: TransparencyOptions): void {
  const exchanges = allExchanges();

  test(`${exchanges.length} exchanges, one after another, arrive as they were sent`, {
    timeout: caseTimeoutMs,
  }, async () => {
    assert.ok(exchanges.length >= 500);
    await using stage = await stageFor(exchanges, options);
    for (const [number, exchange] of exchanges.entries()) {
      const straight = await recordOf(exchange, number, stage.straight, stage.upstream);
      const through = await recordOf(exchange, number, stage.through, stage.upstream);
      assertSame(through, straight, exchange.title, options);
    }
  });

  test("the same pipelined, ten at a time, are answered in order", { timeout: caseTimeoutMs }, async () => {
    await using stage = await stageFor(exchanges, options);
    const lasting = [...exchanges.entries()].filter(([, one]) => !one.isLast && !one.endsConnection);
    for (let from = 0; from < lasting.length; from += 10) {
      const batch = lasting.slice(from, from + 10);
      const answers = await stage.through.playAll(batch.map(([, exchange]) => exchange));
      for (const [place, [number, { title, request, answer }]] of batch.entries()) {
        const record = {
          request: stage.upstream.requests.get(number) as Buffer,
          answer: answers[place] as Buffer,
        };
        assertSame(record, { request, answer }, title, options);
      }
    }
    await until(() => stage.upstream.requests.size === lasting.length);
  });
}

/** Titles of those that are cut at every position: each framing, both ways, short. */
const cutTitles = [
  /GET with no body$/,
  /POST with length 1$/,
  /POST with a body like messages$/,
  /POST with chunks of growing size$/,
  /POST with chunk extensions$/,
  /POST with trailers$/,
  /POST with sizes with zeros/,
  /POST with a chunk like a last chunk$/,
  /HEAD answered with length 1$/,
  /GET answered with length 1$/,
  /GET answered with a body like messages$/,
  /GET answered with chunks of growing size$/,
  /GET answered with a quoted chunk extension$/,
  /GET answered with trailers$/,
  /GET answered with trailers alone$/,
  /GET answered with a body until the connection's end$/,
  /304 Not Modified with a length$/,
  /204 No Content with no body$/,
];

function cutCases(options: TransparencyOptions): void {
  const exchanges = allExchanges();
  const chosen = [...exchanges.entries()].filter(([, { title }]) => cutTitles.some((one) => one.test(title)));

  test("requests and answers cut into two packets at every position arrive the same", {
    timeout: caseTimeoutMs,
  }, async () => {
    assert.equal(chosen.length, cutTitles.length);
    await using stage = await stageFor(exchanges, options);
    for (const [number, exchange] of chosen) {
      const { request, answer, title } = exchange;
      for (let cut = 1; cut < request.length; cut++) {
        const record = await recordOf(exchange, number, stage.through, stage.upstream, [cut]);
        assertSame(record, exchange, `${title}, request cut at ${cut}`, options);
      }
      for (let cut = 1; cut < answer.length; cut++) {
        stage.upstream.answerCuts = [cut];
        const record = await recordOf(exchange, number, stage.through, stage.upstream);
        assertSame(record, exchange, `${title}, answer cut at ${cut}`, options);
      }
      stage.upstream.answerCuts = [];
    }
  });

  test("requests and answers in packets of one byte arrive the same", {
    timeout: caseTimeoutMs,
  }, async () => {
    await using stage = await stageFor(exchanges, options);
    for (const [number, exchange] of chosen) {
      const each = (bytes: Buffer): number[] => Array.from({ length: bytes.length - 1 }, (_, at) => at + 1);
      stage.upstream.answerCuts = each(exchange.answer);
      const cuts = each(exchange.request);
      const record = await recordOf(exchange, number, stage.through, stage.upstream, cuts);
      assertSame(record, exchange, `${exchange.title}, byte by byte`, options);
    }
  });
}
