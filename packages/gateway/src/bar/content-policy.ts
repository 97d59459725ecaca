/** What a page's policies have to allow so that the bar works in it. */
export interface BarNeeds {
  /** Source of its style: a hash. */
  readonly style: string;
}

type Directives = Map<string, readonly string[]>;

const styleChain = ["style-src-elem", "style-src", "default-src"] as const;
const frameChain = ["frame-src", "child-src", "default-src"] as const;

/**
 * A `Content-Security-Policy` line (which may hold several policies) that lets the bar in besides, and nothing else: its style by
 * hash and its frame by `'self'`. What already allows them stays as it is. Source: CSP Level 3 §6.7, §6.8
 */
export function amendPolicies(line: string, needs: BarNeeds): string {
  return line
    .split(",")
    .map((policy) => amendPolicy(policy, needs))
    .join(",");
}

function amendPolicy(policy: string, { style }: BarNeeds): string {
  const directives = parse(policy);
  const added: string[] = [];
  const changed = new Map<string, readonly string[]>();
  const allow = (
    chain: readonly string[],
    own: string,
    source: string,
    isAllowed: (sources: readonly string[]) => boolean,
  ): void => {
    const name = chain.find((candidate) => directives.has(candidate));
    if (name === undefined) return;
    const sources = directives.get(name) as readonly string[];
    if (isAllowed(sources)) return;
    const more = [...sources.filter((other) => other.toLowerCase() !== "'none'"), source];
    // What a wider directive says holds for other things too; they keep it.
    if (chain.indexOf(name) > chain.indexOf(own)) added.push(`${own} ${more.join(" ")}`);
    else changed.set(name, more);
  };
  allow(styleChain, "style-src", style, (sources) => allowsInline(sources) || sources.includes(style));
  if (!isSandboxed(directives)) allow(frameChain, "frame-src", "'self'", allowsSelf);
  if (added.length === 0 && changed.size === 0) return policy;
  const seen = new Set<string>();
  const kept = policy.split(";").map((text) => {
    const name = nameOf(text);
    const sources = seen.has(name) ? undefined : changed.get(name);
    seen.add(name);
    return sources === undefined ? text : `${/^\s*/.exec(text)?.[0]}${name} ${sources.join(" ")}`;
  });
  return [...kept.filter((text) => text.trim() !== ""), ...added.map((text) => ` ${text}`)].join(";");
}

/** Whether the bar works under this policy of a `<meta>` element, which nobody amends. */
export function allowsBar(policy: string): { readonly style: boolean; readonly frame: boolean } {
  const directives = parse(policy);
  const sourcesOf = (chain: readonly string[]): readonly string[] | undefined =>
    directives.get(chain.find((name) => directives.has(name)) ?? "");
  const styles = sourcesOf(styleChain);
  const frames = sourcesOf(frameChain);
  return {
    style: styles === undefined || allowsInline(styles),
    frame: frames === undefined || allowsSelf(frames),
  };
}

/** A page in a sandbox has an origin of its own, for which a frame of its host is another's. */
export function sandboxes(line: string): boolean {
  return line.split(",").some((policy) => isSandboxed(parse(policy)));
}

function isSandboxed(directives: Directives): boolean {
  const sandbox = directives.get("sandbox");
  return sandbox !== undefined && !sandbox.includes("allow-same-origin");
}

/** The first of two directives with one name counts. */
function parse(policy: string): Directives {
  const directives: Directives = new Map();
  for (const text of policy.split(";")) {
    const [, ...sources] = text.trim().split(/\s+/);
    const name = nameOf(text);
    if (name !== "" && !directives.has(name)) directives.set(name, sources);
  }
  return directives;
}

function nameOf(directive: string): string {
  return directive.trim().split(/\s+/, 1)[0]?.toLowerCase() ?? "";
}

/** `'unsafe-inline'` counts only where no hash or nonce stands beside it; adding one would switch it off. */
function allowsInline(sources: readonly string[]): boolean {
  const lower = sources.map((source) => source.toLowerCase());
  return (
    lower.includes("'unsafe-inline'") &&
    !lower.some((source) => /^'(?:nonce-|sha(?:256|384|512)-)/.test(source))
  );
}

function allowsSelf(sources: readonly string[]): boolean {
  return sources.some((source) => source === "*" || source.toLowerCase() === "'self'");
}
