import { RoutingError } from "./routing-error.ts";

/** Inclusive ranges of UTF-16 code units: from, to, from, to … */
export interface CharacterSet {
  readonly ranges: readonly number[];
  readonly negated: boolean;
}

export type PatternNode =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly nodes: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly nodes: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly node: PatternNode; readonly min: number; readonly max: number };

const digit: readonly number[] = [48, 57];
const word: readonly number[] = [48, 57, 65, 90, 95, 95, 97, 122];
// White space as ECMAScript's `\s` has it.
const space: readonly number[] = [
  9, 13, 32, 32, 160, 160, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f,
  0x3000, 0x3000, 0xfeff, 0xfeff,
];
const classes: Readonly<Record<string, CharacterSet>> = {
  d: { ranges: digit, negated: false },
  D: { ranges: digit, negated: true },
  w: { ranges: word, negated: false },
  W: { ranges: word, negated: true },
  s: { ranges: space, negated: false },
  S: { ranges: space, negated: true },
};
const anything: CharacterSet = { ranges: [], negated: true };

/** Counted repetition is written out in the program, so its counts are small. */
const maxRepeat = 100;

/**
 * Reads the subset of ECMAScript's regular expressions that can be matched in linear time: characters, `.`,
 * classes, groups, `|`, `* + ? {n,m}`. Throws `E_PATTERN_INVALID` for all else (look-around, back references,
 * named groups, `\b`, `\p`), naming the position.
 */
export function parsePattern(source: string): PatternNode {
  const reader = new Reader(source);
  reader.takeIf("^");
  const node = reader.choice();
  if (!reader.atEnd()) reader.fail("is not closed by anything before it");
  return node;
}

class Reader {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  atEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  takeIf(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  fail(why: string): never {
    const what = this.atEnd() ? "the end" : JSON.stringify(this.#source[this.#at]);
    throw new RoutingError(
      "E_PATTERN_INVALID",
      `pattern ${JSON.stringify(this.#source)}: ${what} at position ${this.#at} ${why}`,
      {
        hint: "Use characters, ., [classes], (groups), | and * + ? {n,m}; the pattern is anchored by itself.",
      },
    );
  }

  choice(): PatternNode {
    const nodes = [this.#sequence()];
    while (this.takeIf("|")) nodes.push(this.#sequence());
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: "choice", nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    for (;;) {
      const next = this.#source[this.#at];
      if (next === undefined || next === "|" || next === ")") break;
      if (next === "$" && this.#at === this.#source.length - 1 && this.#depth === 0) {
        this.#at += 1;
        break;
      }
      nodes.push(this.#repeated(this.#atom(next)));
    }
    return { kind: "sequence", nodes };
  }

  #atom(next: string): PatternNode {
    if (next === "(") return this.#group();
    if (next === "[") return { kind: "set", set: this.#class() };
    if (next === "^" || next === "$") this.fail("is an anchor inside of an anchored pattern");
    if ("*+?{}]".includes(next)) this.fail(`has no meaning here; write \\${next} for the character`);
    if (next === "\\") {
      const set = this.#escape();
      return { kind: "set", set: typeof set === "number" ? one(set) : set };
    }
    this.#at += 1;
    return { kind: "set", set: next === "." ? anything : one(next.charCodeAt(0)) };
  }

  #group(): PatternNode {
    this.#at += 1;
    if (this.#source.startsWith("?:", this.#at)) this.#at += 2;
    else if (this.#source[this.#at] === "?")
      this.fail("opens look-around or a named group, which cannot be used");
    this.#depth += 1;
    const node = this.choice();
    this.#depth -= 1;
    if (!this.takeIf(")")) this.fail("comes where a group should be closed");
    return node;
  }

  #repeated(node: PatternNode): PatternNode {
    const counts = this.#quantifier();
    if (counts === undefined) return node;
    // Lazy or greedy is the same for a pattern that must match as a whole.
    this.takeIf("?");
    if ("*+?{".includes(this.#source[this.#at] ?? "x")) this.fail("repeats a repetition");
    return { kind: "repeat", node, min: counts[0], max: counts[1] };
  }

  #quantifier(): readonly [number, number] | undefined {
    if (this.takeIf("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.takeIf("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.takeIf("?")) return [0, 1];
    if (this.#source[this.#at] !== "{") return undefined;
    const counts = /^\{(\d{1,3})(?:(,)(\d{1,3})?)?\}/.exec(this.#source.slice(this.#at));
    if (counts === null) this.fail("does not begin a count such as {2,5}");
    const min = Number(counts[1]);
    const max =
      counts[2] === undefined ? min : counts[3] === undefined ? Number.POSITIVE_INFINITY : Number(counts[3]);
    if (min > maxRepeat || (max > maxRepeat && max !== Number.POSITIVE_INFINITY)) {
      this.fail(`counts beyond ${maxRepeat}`);
    }
    if (max < min) this.fail("counts downwards");
    this.#at += counts[0].length;
    return [min, max];
  }

  #class(): CharacterSet {
    this.#at += 1;
    const negated = this.takeIf("^");
    const ranges: number[] = [];
    while (!this.takeIf("]")) {
      const from = this.#classMember();
      if (typeof from !== "number") {
        if (from.negated) this.fail("follows a negated class inside of a class, which cannot be used");
        ranges.push(...from.ranges);
        continue;
      }
      let to = from;
      if (this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]") {
        this.#at += 1;
        const end = this.#classMember();
        if (typeof end !== "number" || end < from) this.fail("follows a range that does not go upwards");
        to = end;
      }
      ranges.push(from, to);
    }
    return { ranges, negated };
  }

  #classMember(): number | CharacterSet {
    if (this.atEnd()) this.fail("comes before the end of a class");
    if (this.#source[this.#at] === "\\") return this.#escape();
    this.#at += 1;
    return this.#source.charCodeAt(this.#at - 1);
  }

  #escape(): number | CharacterSet {
    const next = this.#source[this.#at + 1];
    this.#at += 1;
    if (next === undefined) this.fail("follows a lone backslash");
    const set = classes[next];
    if (set === undefined && /[0-9A-Za-z]/.test(next)) this.fail("is not an escape that can be used");
    this.#at += 1;
    return set ?? next.charCodeAt(0);
  }
}

function one(code: number): CharacterSet {
  return { ranges: [code, code], negated: false };
}
