import type { Duplex } from "node:stream";
import { checkEdits } from "./header-edits.ts";
import type { AnswerHead, HeaderEdits, Plan } from "./types.ts";

/** What a plan wants changed in one answer. */
export interface AnswerWishes {
  readonly edits: HeaderEdits | undefined;
  /** What its body goes through. */
  readonly filter: Duplex | undefined;
}

/** Asks the plan. Where it throws, or its edits cannot be made, nothing is changed, and `onError` told. */
export function wishesFor(
  plan: Plan,
  head: AnswerHead,
  hasBody: boolean,
  onError: (error: unknown) => void,
): AnswerWishes {
  return {
    edits: unlessItThrows(() => editsFor(plan, head), onError),
    filter: hasBody ? unlessItThrows(() => plan.filterBody?.(head), onError) : undefined,
  };
}

function editsFor(plan: Plan, head: AnswerHead): HeaderEdits | undefined {
  const edits = plan.responseHeaders?.(head);
  checkEdits(edits);
  return edits;
}

function unlessItThrows<T>(ask: () => T | undefined, onError: (error: unknown) => void): T | undefined {
  try {
    return ask();
  } catch (error) {
    onError(error);
    return undefined;
  }
}
