import { type BaggageLimits, baggageLimits, checkBaggage } from "./baggage.ts";
import { type BaggageMember, readBaggage } from "./baggage-member.ts";

export interface TrimmedBaggage {
  readonly text: string;
  /** Keys of the members left out, in their order. */
  readonly dropped: readonly string[];
}

/**
 * Makes a header fit its limits by leaving out whole members. Those named in `importantKeys` get their place first,
 * in that order, then first come, first kept; a member that does not fit is passed over, so one large value costs
 * itself and not the small ones behind it. What is kept stays in its order.
 */
export function trimBaggage(
  text: string,
  importantKeys: readonly string[],
  limits: BaggageLimits = baggageLimits,
): TrimmedBaggage {
  if (checkBaggage(text, limits) >= 0) return { text, dropped: [] };
  const members = [...readBaggage(text)];
  const kept = new Set<BaggageMember>();
  let bytes = -1;
  for (const member of byImportance(members, importantKeys)) {
    const size = member.raw.length + 1;
    const fits = bytes + size <= limits.maxBytes && kept.size < limits.maxMembers;
    if (!fits || member.key.length > limits.maxNameBytes) continue;
    kept.add(member);
    bytes += size;
  }
  return {
    text: members
      .filter((member) => kept.has(member))
      .map((member) => member.raw)
      .join(","),
    dropped: members.filter((member) => !kept.has(member)).map((member) => member.key),
  };
}

function byImportance(members: readonly BaggageMember[], importantKeys: readonly string[]): BaggageMember[] {
  const important = importantKeys.flatMap((key) => members.filter((member) => member.key === key));
  const isImportant = new Set(important);
  return [...important, ...members.filter((member) => !isImportant.has(member))];
}
