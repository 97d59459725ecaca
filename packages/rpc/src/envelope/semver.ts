export interface Version {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Empty for a stable version. */
  readonly prerelease: readonly string[];
}

const pattern =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?$/;

/** No longer than this, so that no text makes the pattern work hard. */
const maxVersionLength = 64;

/** Whether {@link parseVersion} would read it. */
export function isVersion(text: string): boolean {
  return text.length <= maxVersionLength && pattern.test(text);
}

/** `<major>.<minor>.<patch>[-<prerelease>]`, without build metadata. Source: Forrst specification, versioning. */
export function parseVersion(text: string): Version | undefined {
  const match = text.length <= maxVersionLength ? pattern.exec(text) : null;
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease] = match;
  return {
    text,
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    prerelease: prerelease === undefined ? [] : prerelease.split("."),
  };
}

/** Negative when `a` comes first. Source: Semantic Versioning 2.0.0 §11. */
export function compareVersions(a: Version, b: Version): number {
  const core = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (core !== 0) return core;
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return b.prerelease.length - a.prerelease.length;
  }
  for (const [i, left] of a.prerelease.entries()) {
    const right = b.prerelease[i];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.prerelease.length - b.prerelease.length;
}

function compareIdentifiers(a: string, b: string): number {
  const numericA = /^\d+$/.test(a);
  const numericB = /^\d+$/.test(b);
  if (numericA !== numericB) return numericA ? -1 : 1;
  // Without leading zeros, the longer number is the larger one, whatever its size.
  if (numericA && a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
