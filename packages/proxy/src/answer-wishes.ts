import type { Duplex } from "node:stream";
import { checkEdits } from "./header-edits.ts";
import type { AnswerHead, HeaderEdits, Plan } from "./types.ts";

/** What a plan wants changed in an answer's head. Edits that cannot be made are left out, and told to `onError`. */
export function wantedEdits(
  plan: Plan,
  head: AnswerHead,
  onError: (error: unknown) => void,
): HeaderEdits | undefined {
  try {
    const edits = plan.responseHeaders?.(head);
    checkEdits(edits);
    return edits;
  } catch (error) {
    onError(error);
    return undefined;
  }
}

/** What a plan wants an answer's body to go through. */
export function wantedFilter(
  plan: Plan,
  head: AnswerHead,
  onError: (error: unknown) => void,
): Duplex | undefined {
  try {
    return plan.filterBody?.(head);
  } catch (error) {
    onError(error);
    return undefined;
  }
}
