import { compareVersions, noVersion, readVersion, type Version } from './semver.js';

/** Alternatives, each from a version (included) to another (not included). */
export type VersionRange = readonly Span[];

interface Span {
  readonly from: Version;
  readonly to: Version;
}

const LOWEST: Version = { ...noVersion(), prerelease: '0' };
const HIGHEST: Version = { ...noVersion(), major: Infinity };
const COMPARATOR = /^(\^|~|>=|>|<=|<|=)?\s*(\S+)$/;
const PARTIAL = /^v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?$/;

/**
 * Reads a range as npm writes them: `>=1.2.0 <2.0.0 || ^3.1`, `~1.2`, `1.x`, `1.2 - 2.3`, `*`. Unlike npm's default, prereleases
 * count by their precedence (npm's includePrerelease), so that a range and a comparison never disagree.
 * @returns `undefined` when it is none
 */
export function readRange(text: string): VersionRange | undefined {
  const spans = text.split('||').map(readSpan);
  return spans.includes(undefined) ? undefined : (spans as Span[]);
}

export function isWithin(version: Version, range: VersionRange): boolean {
  for (const { from, to } of range) {
    if (compareVersions(version, from) >= 0 && compareVersions(version, to) < 0) return true;
  }
  return false;
}

function readSpan(text: string): Span | undefined {
  const [low, high, ...more] = text.trim().split(/\s+-\s+/);
  if (high !== undefined && low !== undefined) {
    if (more.length > 0) return undefined;
    return both(readComparator(`>=${low}`), readComparator(`<=${high}`));
  }
  // An operator may stand apart from its version.
  const parts = text
    .trim()
    .replaceAll(/([<>=~^])\s+/g, '$1')
    .split(/\s+/);
  return parts.map(readComparator).reduce(both);
}

function both(one: Span | undefined, other: Span | undefined): Span | undefined {
  if (one === undefined || other === undefined) return undefined;
  return {
    from: compareVersions(one.from, other.from) > 0 ? one.from : other.from,
    to: compareVersions(one.to, other.to) < 0 ? one.to : other.to,
  };
}

function readComparator(text: string): Span | undefined {
  const [, operator = '', version = ''] = COMPARATOR.exec(text) ?? [];
  const block = readBlock(version);
  if (block === undefined) return undefined;
  const { first, last, next } = block;
  switch (operator) {
    case '>':
      return { from: next, to: HIGHEST };
    case '>=':
      return { from: first, to: HIGHEST };
    case '<':
      return { from: LOWEST, to: first };
    case '<=':
      return { from: LOWEST, to: next };
    case '^':
      return { from: first, to: last.caret };
    case '~':
      return { from: first, to: last.tilde };
    default:
      return { from: first, to: next };
  }
}

/** All versions that a version, or the beginning of one, stands for: from `first`, below `next`. */
interface Block {
  readonly first: Version;
  readonly next: Version;
  readonly last: { readonly caret: Version; readonly tilde: Version };
}

function readBlock(text: string): Block | undefined {
  const full = noVersion();
  if (readVersion(text, full)) {
    const { major, minor, patch, prerelease } = full;
    const caret = major > 0 ? below(major + 1) : minor > 0 ? below(0, minor + 1) : below(0, 0, patch + 1);
    // The version that follows at once: of a prerelease the one that is longer, of a release the next one's first prerelease.
    const next =
      prerelease === '' ? below(major, minor, patch + 1) : { ...full, prerelease: `${prerelease}.0` };
    return { first: full, next, last: { caret, tilde: below(major, minor + 1) } };
  }
  const [, major, minor, patch] = PARTIAL.exec(text) ?? [];
  if (major === undefined || !(patch === undefined || isWild(patch) || isWild(minor) || isWild(major))) {
    return undefined;
  }
  if (isWild(major)) return { first: LOWEST, next: HIGHEST, last: { caret: HIGHEST, tilde: HIGHEST } };
  const [x, y] = [Number(major), isWild(minor) ? undefined : Number(minor)];
  if (!Number.isSafeInteger(x + (y ?? 0))) return undefined;
  const next = y === undefined ? below(x + 1) : below(x, y + 1);
  return {
    first: below(x, y),
    next,
    last: { caret: x > 0 || y === undefined ? below(x + 1) : next, tilde: next },
  };
}

function isWild(part: string | undefined): boolean {
  return part === undefined || part === 'x' || part === 'X' || part === '*';
}

/** The lowest version of all that begin like this, its prereleases included. */
function below(major: number, minor = 0, patch = 0): Version {
  return { major, minor, patch, prerelease: '0' };
}
