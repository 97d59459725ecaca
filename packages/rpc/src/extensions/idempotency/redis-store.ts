import type { Claim, ClaimRequest, IdempotencyStore } from "./idempotency-store.ts";

/** What is used of a Redis client; one of `ioredis` fits as it is. */
export interface RedisScripting {
  eval(script: string, keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}

export interface RedisStoreOptions {
  readonly redis: RedisScripting;
  /** Before every key. Default `clew:idempotency:`. */
  readonly prefix?: string | undefined;
}

/** Redis' own clock, in milliseconds: servers whose clocks differ agree on what a lease is. */
const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Whether the claim is still the caller's, in progress. What was completed is so, for a client that repeats commands. */
const isOwned = `
local entry = redis.call('HMGET', KEYS[1], 'owner', 'state')
if entry[1] ~= ARGV[1] then return 0 end
if entry[2] ~= 'processing' then return 1 end
`;

const claimScript = `${now}
local entry = redis.call('HMGET', KEYS[1], 'state', 'arguments', 'request', 'lease', 'fence', 'outcome', 'at', 'owner')
local fence = 1
if entry[1] == 'completed' then
  local left = redis.call('PTTL', KEYS[1])
  return {'completed', entry[2], entry[3], entry[6], entry[7], string.format('%.0f', now + left)}
elseif entry[1] == 'processing' and entry[8] == ARGV[3] then
  return {'claimed', tonumber(entry[5])}
elseif entry[1] == 'processing' then
  local left = tonumber(entry[4]) - now
  if left > 0 then return {'processing', entry[2], entry[3], left} end
  if ARGV[6] ~= '1' or entry[2] ~= ARGV[1] then return {'lost', entry[2], entry[3]} end
  fence = tonumber(entry[5]) + 1
end
redis.call('HSET', KEYS[1], 'state', 'processing', 'arguments', ARGV[1], 'request', ARGV[2], 'owner', ARGV[3],
  'lease', string.format('%.0f', now + tonumber(ARGV[4])), 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'claimed', fence}
`;

const renewScript = `${isOwned}${now}
redis.call('HSET', KEYS[1], 'lease', string.format('%.0f', now + tonumber(ARGV[2])))
return 1
`;

const completeScript = `${isOwned}${now}
redis.call('HSET', KEYS[1], 'state', 'completed', 'outcome', ARGV[2], 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`;

const releaseScript = `${isOwned}
redis.call('DEL', KEYS[1])
return 1
`;

/**
 * Shared by all servers of a service; each operation is one script, so atomic. Needs Redis 5 or newer, for scripts that
 * read the clock and write. What Redis loses is forgotten: see the guide on idempotency.
 */
export function createRedisIdempotencyStore(options: RedisStoreOptions): IdempotencyStore {
  const { redis, prefix = "clew:idempotency:" } = options;
  const run = (script: string, key: string, ...args: (string | number)[]): Promise<unknown> =>
    redis.eval(script, 1, prefix + key, ...args);
  return {
    async claim({ key, argumentsHash, requestId, owner, leaseMs, rememberMs, mayTakeOver }: ClaimRequest) {
      const takeOver = mayTakeOver ? "1" : "0";
      return readClaim(
        await run(claimScript, key, argumentsHash, requestId, owner, leaseMs, rememberMs, takeOver),
      );
    },
    renew: async (key, owner, leaseMs) => (await run(renewScript, key, owner, leaseMs)) === 1,
    complete: async (key, owner, outcome, ttlMs) =>
      (await run(completeScript, key, owner, outcome, ttlMs)) === 1,
    release: async (key, owner) => void (await run(releaseScript, key, owner)),
  };
}

function readClaim(reply: unknown): Claim {
  const [kind, ...rest] = reply as [string, ...unknown[]];
  if (kind === "claimed") return { kind, fence: Number(rest[0]) };
  const [argumentsHash, requestId, third, completedAt, expiresAt] = rest.map(String) as [
    string,
    string,
    ...string[],
  ];
  if (kind === "processing") return { kind, argumentsHash, requestId, leaseLeftMs: Number(third) };
  if (kind === "lost") return { kind, argumentsHash, requestId };
  return {
    kind: "completed",
    argumentsHash,
    requestId,
    outcome: third as string,
    completedAt: Number(completedAt),
    expiresAt: Number(expiresAt),
  };
}
