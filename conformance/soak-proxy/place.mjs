// @ts-check

/** @typedef {"live" | "developer"} Side */

/**
 * A way to ask for one override, and who has to answer now. While the override is made or ended it may be either side;
 * once the agent was seen to know, only one.
 */
export class Place {
  /** @type {Side | "either"} */
  #expected;
  #changes = 0;

  /**
   * @param {string} name
   * @param {Readonly<Record<string, string>>} headers What selects the override.
   * @param {Side} expected
   */
  constructor(name, headers, expected = "live") {
    this.name = name;
    this.headers = Object.entries(headers)
      .map(([header, value]) => `${header}: ${value}\r\n`)
      .join("");
    this.#expected = expected;
  }

  /** @param {Side | "either"} expected */
  become(expected) {
    this.#expected = expected;
    this.#changes += 1;
  }

  /**
   * Called when a request is sent; what it returns says, when the answer is there, whether that side may have given it.
   * A request on its way when things began to change may have arrived before or after.
   */
  expectation() {
    const expected = this.#expected;
    const sentAt = this.#changes;
    return (/** @type {string} */ side) => {
      if (side !== "live" && side !== "developer") return false;
      return expected === "either" || sentAt !== this.#changes || side === expected;
    };
  }
}
