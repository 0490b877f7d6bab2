/** A semantic version; mutable, so that evaluating can read one without allocating. */
export interface Version {
  major: number;
  minor: number;
  patch: number;
  /** `rc.1` of `1.2.3-rc.1`; empty for a release. */
  prerelease: string;
}

const DIGITS = 15;
const MAX_LENGTH = 256;
const NUMERIC = /^\d+$/;
const IDENTIFIERS =
  /^(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*$/;
const BUILD = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/;

export function noVersion(): Version {
  return { major: 0, minor: 0, patch: 0, prerelease: '' };
}

/**
 * Reads a version of three numbers, with prerelease and build metadata where there are any; one leading `v` is passed over.
 * @returns whether it is one; when not, `into` holds nothing of use
 * Source: semver.org 2.0.0
 */
export function readVersion(text: string, into: Version): boolean {
  if (text.length > MAX_LENGTH) return false;
  into.major = readNumber(text, text.charCodeAt(0) === LETTER_V ? 1 : 0);
  if (into.major < 0 || text.charCodeAt(end) !== DOT) return false;
  into.minor = readNumber(text, end + 1);
  if (into.minor < 0 || text.charCodeAt(end) !== DOT) return false;
  into.patch = readNumber(text, end + 1);
  if (into.patch < 0) return false;
  into.prerelease = '';
  return end === text.length || readRest(text, end, into);
}

const DOT = 46;
const LETTER_V = 118;

// Where the number that was read last ends.
let end = 0;

/** A number without leading zeros; -1 when there is none, or it is too large to be exact. */
function readNumber(text: string, from: number): number {
  let value = 0;
  let at = from;
  for (; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  end = at;
  const length = at - from;
  return length === 0 || length > DIGITS || (length > 1 && text.charCodeAt(from) === 48) ? -1 : value;
}

function readRest(text: string, at: number, into: Version): boolean {
  const plus = text.indexOf('+', at);
  const stop = plus < 0 ? text.length : plus;
  into.prerelease = text[at] === '-' ? text.slice(at + 1, stop) : '';
  if (text[at] === '-' ? !IDENTIFIERS.test(into.prerelease) : at !== stop) return false;
  return plus < 0 || BUILD.test(text.slice(plus + 1));
}

/** Below, equal or above, as a number below, equal or above 0; build metadata does not count. */
export function compareVersions(one: Version, other: Version): number {
  return (
    one.major - other.major ||
    one.minor - other.minor ||
    one.patch - other.patch ||
    comparePrereleases(one.prerelease, other.prerelease)
  );
}

function comparePrereleases(one: string, other: string): number {
  if (one === other) return 0;
  // A release is above all its prereleases.
  if (one === '' || other === '') return one === '' ? 1 : -1;
  const ones = one.split('.');
  const others = other.split('.');
  for (const [index, a] of ones.entries()) {
    const b = others[index];
    if (b === undefined) return 1;
    if (a !== b) return compareIdentifiers(a, b);
  }
  return -1;
}

/** Numbers by size and below texts; texts by their characters. */
function compareIdentifiers(a: string, b: string): number {
  const isNumber = NUMERIC.test(a);
  if (isNumber !== NUMERIC.test(b)) return isNumber ? -1 : 1;
  return (isNumber ? a.length - b.length : 0) || (a < b ? -1 : 1);
}
