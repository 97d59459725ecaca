/** Where HTML may be put in, or why not. Bytes are characters here: all that matters is ASCII in every encoding taken. */
export type ScanResult =
  | { readonly kind: "more"; readonly safe: number }
  /** Right after `<body …>`, or where an HTML parser would have begun the body by itself. */
  | { readonly kind: "found"; readonly at: number }
  /** No document to put anything into: a frameset, or no HTML at all. */
  | { readonly kind: "none" };

/** Elements of a head whose content is text to a parser, or is not part of the document. */
const opaqueElements: ReadonlySet<string> = new Set([
  "title",
  "script",
  "style",
  "noscript",
  "template",
  "noframes",
]);
const emptyElements: ReadonlySet<string> = new Set([
  "html",
  "head",
  "meta",
  "link",
  "base",
  "basefont",
  "bgsound",
]);

/**
 * Reads the beginning of an HTML document as far as to where its body begins, in pieces of any size.
 * Source: WHATWG HTML §13.2.6.4 ("before html" to "after head")
 */
export class BodyScanner {
  /** Contents of the document's own policies: `<meta http-equiv="Content-Security-Policy">`. */
  readonly policies: string[] = [];
  #inside: string | undefined;
  /** Of a script: 1 where its next end tag is part of it. Of templates: how deep. Of a comment: 1 behind its beginning. */
  #depth = 0;
  #isEscaped = false;
  /** A tag or doctype has come. */
  #isHtml = false;

  /** `text` begins where the last call said `safe`; `isEnd`: nothing follows. */
  scan(text: string, isEnd: boolean): ScanResult {
    let at = 0;
    for (;;) {
      const next = this.#inside === undefined ? this.#markup(text, at) : this.#content(text, at);
      if (typeof next !== "number") {
        if (next.kind === "more" && isEnd) return this.#atEnd(text, next.safe);
        return next;
      }
      at = next;
    }
  }

  /** A document that is only a head may get a body; one that ends inside something may not. */
  #atEnd(text: string, safe: number): ScanResult {
    const isBetween = this.#inside === undefined && safe === text.length;
    return isBetween && this.#isHtml ? { kind: "found", at: safe } : { kind: "none" };
  }

  #markup(text: string, from: number): number | ScanResult {
    const blank = /^[\t\n\f\r \xef\xbb\xbf]*/.exec(text.slice(from, from + maxBlankChars)) as RegExpExecArray;
    const at = from + blank[0].length;
    if (at >= text.length) return { kind: "more", safe: at };
    if (blank[0].length === maxBlankChars) return at;
    if (text[at] !== "<") return this.#bodyAt(at);
    if (isPrefix(text, at, "<!--")) return { kind: "more", safe: at };
    if (text.startsWith("<!--", at)) {
      this.#inside = "!--";
      this.#depth = 0;
      return at + 4;
    }
    // A `<` before anything else is text.
    if (at + 1 < text.length && !/[a-z/!?]/i.test(text[at + 1] as string)) return this.#bodyAt(at);
    const end = tagEnd(text, at);
    if (end === undefined)
      return text.length - at > maxTagChars ? { kind: "none" } : { kind: "more", safe: at };
    return this.#tag(text.slice(at, end), at, end);
  }

  #tag(tag: string, at: number, end: number): number | ScanResult {
    const name = /^<(\/?[a-z][^\s/>]*)/i.exec(tag)?.[1]?.toLowerCase();
    if (name === undefined) {
      // A doctype, or what parsers take for a comment.
      this.#isHtml = true;
      return end;
    }
    if (name === "/body" || name === "/html" || name === "/br") return this.#bodyAt(at);
    this.#isHtml = true;
    if (name.startsWith("/")) return end;
    if (name === "body") return { kind: "found", at: end };
    if (name === "frameset") return { kind: "none" };
    if (name === "meta") this.#readPolicy(tag);
    if (opaqueElements.has(name)) {
      this.#inside = name;
      this.#depth = 0;
      this.#isEscaped = false;
      return end;
    }
    return emptyElements.has(name) ? end : { kind: "found", at };
  }

  #bodyAt(at: number): ScanResult {
    return this.#isHtml ? { kind: "found", at } : { kind: "none" };
  }

  #readPolicy(tag: string): void {
    if (!/\bhttp-equiv\s*=\s*["']?content-security-policy\b/i.test(tag)) return;
    const content = /\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(tag);
    const policy = content?.[1] ?? content?.[2] ?? content?.[3] ?? "";
    this.policies.push(policy.replaceAll("&#39;", "'").replaceAll("&apos;", "'").replaceAll("&quot;", '"'));
  }

  /** Inside a comment or an element: to its end. What may be the beginning of one waits for more. */
  #content(text: string, from: number): number | ScanResult {
    if (this.#inside === "!--") return this.#comment(text, from);
    const name = this.#inside as string;
    const tokens = name === "script" ? scriptToken : new RegExp(`<(/?)${name}(?=[\\t\\n\\f\\r />])`, "gi");
    tokens.lastIndex = from;
    let known = from;
    for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
      if (this.#closes(token[0].toLowerCase(), name)) {
        this.#inside = undefined;
        // The end tag's own end is found as any tag's is.
        return token.index;
      }
      known = tokens.lastIndex;
    }
    // So many characters may be the beginning of a token, which must be seen whole, with the one that follows it; but once.
    return { kind: "more", safe: lastTokenStart(text, known, name.length + 3) };
  }

  #comment(text: string, from: number): number | ScanResult {
    // `<!-->` and `<!--->` are whole comments.
    const short = this.#depth === 0 ? /^-?>/.exec(text.slice(from, from + 2)) : null;
    if (this.#depth === 0 && text.length - from < 2 && short === null) return { kind: "more", safe: from };
    this.#depth = 1;
    const end = short === null ? /--!?>/.exec(text.slice(from)) : short;
    if (end === null) return { kind: "more", safe: Math.max(from, text.length - 3) };
    this.#inside = undefined;
    this.#depth = 0;
    return from + end.index + end[0].length;
  }

  /**
   * Whether the token ends the element. In a script, `<!--` and then `<script` make the next `</script` part of it.
   * Source: WHATWG HTML §13.2.5.18 ("script data escaped") and following
   */
  #closes(token: string, name: string): boolean {
    if (name === "template") {
      if (token.startsWith("</")) return this.#depth-- === 0;
      this.#depth++;
      return false;
    }
    if (name !== "script") return token.startsWith("</");
    if (token === "<!--") this.#isEscaped = true;
    else if (token === "-->") {
      this.#isEscaped = false;
      this.#depth = 0;
    } else if (token === "<script") this.#depth = this.#isEscaped ? 1 : 0;
    else if (this.#depth === 0) return true;
    else this.#depth = 0;
    return false;
  }
}

/** A tag that is longer is none that a page has. */
const maxTagChars = 64 * 1024;
/** Of white space looked at in one go. */
const maxBlankChars = 4_096;

const scriptToken = /<!--|-->|<\/?script(?=[\t\n\f\r />])/gi;

/** Where the text's end may be the beginning of a token, at most so many characters long. */
function lastTokenStart(text: string, from: number, maxChars: number): number {
  for (let at = Math.max(from, text.length - maxChars); at < text.length; at++) {
    if (text[at] === "<" || text[at] === "-") return at;
  }
  return text.length;
}

/** Whether the text ends in the middle of `whole`. */
function isPrefix(text: string, at: number, whole: string): boolean {
  const left = text.length - at;
  return left < whole.length && whole.startsWith(text.slice(at));
}

/** After the tag's `>`, which does not count between quotes of an attribute's value. */
function tagEnd(text: string, at: number): number | undefined {
  if (text[at + 1] === "!" || text[at + 1] === "?") {
    const end = text.indexOf(">", at);
    return end < 0 ? undefined : end + 1;
  }
  let quote = "";
  let before = "";
  for (let index = at + 1; index < text.length; index++) {
    const character = text[index] as string;
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === ">") return index + 1;
    else if ((character === '"' || character === "'") && before === "=") quote = character;
    if (!/\s/.test(character)) before = character;
  }
  return undefined;
}
