// @ts-check
// What a reader understood of a stream of bytes, in the same words for every reader; and what of it differs.

/**
 * @typedef {object} Message
 * @property {string} [method] Of a request.
 * @property {string} [target]
 * @property {number} [status] Of an answer.
 * @property {string} version `1.0` or `1.1`.
 * @property {readonly (readonly [string, string])[]} headers Names in lower case.
 * @property {string} body As latin1, without chunks.
 * @property {readonly (readonly [string, string])[]} trailers
 * @property {boolean} complete Its end was found.
 *
 * @typedef {object} Understanding
 * @property {Message[]} messages The last one may be incomplete.
 * @property {"open" | "closed" | "upgrade" | "refused"} end `open`: more may follow. `closed`: the last message ended the
 *   connection. `upgrade`: whether what follows is HTTP will be seen by the answer.
 * @property {boolean} [begun] Bytes came of a head that is not whole yet.
 * @property {string} [reason] Why it was refused.
 */

/** @param {readonly (readonly [string, string])[]} pairs @returns {[string, string][]} */
export const lowerNames = (pairs) => pairs.map(([name, value]) => [name.toLowerCase(), value]);

/** @param {readonly string[]} raw name, value, name, value … @returns {[string, string][]} */
export function pairsOf(raw) {
  return Array.from({ length: raw.length / 2 }, (_, index) => [
    raw[2 * index] ?? "",
    raw[2 * index + 1] ?? "",
  ]);
}

/**
 * What another reader understood that we did not, of what we accepted. Nothing that we refused is a difference: being stricter is how
 * differences are kept from mattering. `same` compares two complete messages and says what differs.
 *
 * @param {Understanding} ours @param {Understanding} theirs @param {(ours: Message, theirs: Message) => string[]} same
 * @returns {string[]}
 */
export function differences(ours, theirs, same) {
  const complete = ours.messages.filter(({ complete }) => complete);
  for (const [index, message] of complete.entries()) {
    const other = theirs.messages[index];
    const which = `message ${index + 1}`;
    if (other === undefined) return [`${which}: they have none (${theirs.end}${because(theirs)})`];
    if (!other.complete) return [`${which}: they found no end of it (${theirs.end}${because(theirs)})`];
    const faults = same(message, other);
    if (faults.length > 0) return faults.map((fault) => `${which}: ${fault}`);
  }
  // After a refusal or a close, nobody reads on.
  if (ours.end !== "open") return [];
  const theirCount = theirs.messages.filter(({ complete }) => complete).length;
  if (theirCount > complete.length)
    return [`they found ${theirCount} messages, we ${complete.length} and wait`];
  const begun = ours.messages[complete.length];
  const theirBegun = theirs.messages[complete.length];
  if (begun !== undefined && theirBegun === undefined && theirs.end !== "refused") {
    return ["they wait for a head that we have taken for whole"];
  }
  return [];
}

/** @param {Understanding} understanding */
const because = ({ reason }) => (reason === undefined ? "" : `: ${reason}`);

/** What two readers of the same bytes may not see differently. @param {Message} ours @param {Message} theirs */
export function sameInAll(ours, theirs) {
  return unequal(ours, theirs, ["method", "target", "status", "version", "headers", "body", "trailers"]);
}

/**
 * @param {Message} ours @param {Message} theirs @param {readonly (keyof Message)[]} fields
 * @returns {string[]}
 */
export function unequal(ours, theirs, fields) {
  return fields.flatMap((field) => {
    const [one, other] = [JSON.stringify(ours[field]), JSON.stringify(theirs[field])];
    return one === other ? [] : [`${field}: ${shown(one)} is ${shown(other)} to them`];
  });
}

/** @param {string | undefined} text */
const shown = (text) => (text !== undefined && text.length > 300 ? `${text.slice(0, 300)}…` : text);
