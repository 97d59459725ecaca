import { ProgressEvent, ResumableEvent } from "../extensions/stream.ts";
import { validate } from "../validate.ts";
import type { Definition } from "./function-table.ts";

/** A result that breaks its own contract is the server's fault: throws what the client sees as INTERNAL_ERROR. */
export function checkResult(
  { name, result: schema }: Definition & { kind: "function" },
  result: unknown,
): Promise<void> {
  return check(name, schema, result);
}

export async function* checkEvents(
  { name, event: schema }: Definition & { kind: "stream" },
  events: AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  for await (const event of events) {
    if (!(event instanceof ProgressEvent))
      await check(name, schema, event instanceof ResumableEvent ? event.value : event);
    yield event;
  }
}

async function check(name: string, schema: Parameters<typeof validate>[0], value: unknown): Promise<void> {
  const checked = await validate(schema, value as never);
  if (checked.ok) return;
  const [{ pointer, message }] = checked.issues;
  throw new Error(`${name} gave what its contract does not allow at "${pointer}": ${message}`);
}
