import { type CharacterSet, type PatternNode, parsePattern } from "./pattern-syntax.ts";
import { RoutingError } from "./routing-error.ts";

/** With these, one match costs at most `maxInstructions * maxSubjectLength` small steps (a few ms), whatever the pattern. */
export const patternLimits = {
  /** Characters of a pattern. Longer ones are refused; people write far shorter ones. */
  maxPatternLength: 256,
  /** Instructions after counted repetitions are written out. More are refused. */
  maxInstructions: 1_000,
  /** Characters of the text compared. A longer one does not match. Paths and field values of use are shorter. */
  maxSubjectLength: 2_048,
} as const;

type Instruction =
  | { readonly op: "set"; readonly set: CharacterSet }
  | { readonly op: "fork"; first: number; second: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "end" };

/**
 * A regular expression, anchored at both ends, matched in linear time by stepping through all its states at once:
 * Node has no such engine, and a pattern must not be able to stall an agent. `.` is any character.
 */
export class Pattern {
  readonly #program: Instruction[] = [];
  readonly #marks: Uint32Array;
  #mark = 0;
  #current: number[] = [];
  #next: number[] = [];

  /** Throws `E_PATTERN_INVALID`. */
  constructor(source: string) {
    if (source.length > patternLimits.maxPatternLength) {
      throw tooLarge(`is ${source.length} characters long, more than ${patternLimits.maxPatternLength}`);
    }
    this.#emit(parsePattern(source));
    this.#push({ op: "end" });
    this.#marks = new Uint32Array(this.#program.length);
  }

  matches(subject: string): boolean {
    if (subject.length > patternLimits.maxSubjectLength) return false;
    this.#current.length = 0;
    this.#step();
    this.#add(0, this.#current);
    for (let at = 0; at < subject.length && this.#current.length > 0; at += 1) {
      const code = subject.charCodeAt(at);
      this.#next.length = 0;
      this.#step();
      for (const state of this.#current) {
        const instruction = this.#program[state];
        if (instruction?.op === "set" && contains(instruction.set, code)) this.#add(state + 1, this.#next);
      }
      [this.#current, this.#next] = [this.#next, this.#current];
    }
    return this.#current.includes(this.#program.length - 1);
  }

  /** A new mark for {@link #add}; when the counter wraps, old marks must not look new. */
  #step(): void {
    this.#mark = (this.#mark + 1) >>> 0;
    if (this.#mark === 0) {
      this.#marks.fill(0);
      this.#mark = 1;
    }
  }

  /** Adds a state and all that are reached from it without a character. */
  #add(start: number, states: number[]): void {
    const pending = [start];
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      if (this.#marks[state] === this.#mark) continue;
      this.#marks[state] = this.#mark;
      const instruction = this.#program[state];
      if (instruction?.op === "jump") pending.push(instruction.to);
      else if (instruction?.op === "fork") pending.push(instruction.second, instruction.first);
      else states.push(state);
    }
  }

  #push<I extends Instruction>(instruction: I): I {
    if (this.#program.length >= patternLimits.maxInstructions) {
      throw tooLarge(`needs more than ${patternLimits.maxInstructions} steps`);
    }
    this.#program.push(instruction);
    return instruction;
  }

  #emit(node: PatternNode): void {
    if (node.kind === "set") this.#push({ op: "set", set: node.set });
    else if (node.kind === "sequence") for (const part of node.nodes) this.#emit(part);
    else if (node.kind === "choice") this.#emitChoice(node.nodes);
    else this.#emitRepeat(node.node, node.min, node.max);
  }

  #emitChoice(nodes: readonly PatternNode[]): void {
    const jumps: { to: number }[] = [];
    for (const [index, node] of nodes.entries()) {
      if (index === nodes.length - 1) {
        this.#emit(node);
        break;
      }
      const fork = this.#push({ op: "fork", first: this.#program.length + 1, second: 0 });
      this.#emit(node);
      jumps.push(this.#push({ op: "jump", to: 0 }));
      fork.second = this.#program.length;
    }
    for (const jump of jumps) jump.to = this.#program.length;
  }

  #emitRepeat(node: PatternNode, min: number, max: number): void {
    const start = this.#program.length;
    for (let count = 0; count < min; count += 1) {
      this.#emit(node);
      // Repeating nothing is nothing: nested empty groups must not cost 100 × 100 × … rounds.
      if (this.#program.length === start) break;
    }
    if (max === Number.POSITIVE_INFINITY) {
      const again = this.#program.length;
      const fork = this.#push({ op: "fork", first: again + 1, second: 0 });
      this.#emit(node);
      this.#push({ op: "jump", to: again });
      fork.second = this.#program.length;
      return;
    }
    const forks: { second: number }[] = [];
    for (let count = min; count < max; count += 1) {
      forks.push(this.#push({ op: "fork", first: this.#program.length + 1, second: 0 }));
      this.#emit(node);
    }
    for (const fork of forks) fork.second = this.#program.length;
  }
}

function contains(set: CharacterSet, code: number): boolean {
  const { ranges } = set;
  for (let at = 0; at < ranges.length; at += 2) {
    if (code >= (ranges[at] ?? 0) && code <= (ranges[at + 1] ?? -1)) return !set.negated;
  }
  return set.negated;
}

function tooLarge(why: string): RoutingError {
  return new RoutingError("E_PATTERN_INVALID", `the pattern ${why}`, {
    hint: "Use a shorter pattern, or several rules with exact values.",
  });
}
