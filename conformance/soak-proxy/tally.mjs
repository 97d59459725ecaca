// @ts-check

/** Texts of faults that are kept; all are counted. */
const keptFaults = 20;

/** What was sent, what came back as it must, and what did not. */
export class Tally {
  sent = 0;
  right = 0;
  /** An answer of the wrong side. */
  wrongPlace = 0;
  /** The right side's, with other bytes. */
  wrongBytes = 0;
  /** No answer, a broken one, or another status. */
  failed = 0;
  /** @type {Record<string, number>} */
  byKind = {};
  /** @type {string[]} */
  faults = [];

  get errors() {
    return this.wrongPlace + this.wrongBytes + this.failed;
  }

  /** @param {string} kind @param {number} [count] */
  send(kind, count = 1) {
    this.sent += count;
    this.byKind[kind] = (this.byKind[kind] ?? 0) + count;
  }

  /** @param {"wrongPlace" | "wrongBytes" | "failed"} what @param {string} text */
  fault(what, text) {
    this[what] += 1;
    if (this.faults.length < keptFaults) this.faults.push(`${new Date().toISOString()} ${what}: ${text}`);
  }

  /**
   * @param {string} label
   * @param {Promise<import("./connection.mjs").Answer>} coming
   * @param {(side: string) => boolean} isExpected
   * @param {(answer: import("./connection.mjs").Answer) => boolean} isRight
   */
  async check(label, coming, isExpected, isRight) {
    try {
      const answer = await coming;
      const { status, side, head, body } = answer;
      if (status !== 200) this.fault("failed", `${label}: ${head}\n${body.latin1Slice(0, 300)}`);
      else if (!isExpected(side)) this.fault("wrongPlace", `${label}: answered by ${side}`);
      else if (isRight(answer)) this.right += 1;
      else this.fault("wrongBytes", `${label}: ${body.length} bytes from ${side}: ${head}`);
    } catch (error) {
      this.fault("failed", `${label}: ${/** @type {Error} */ (error).message}`);
    }
  }
}
