import { absorb, digestWith, encode, type EncodedText, type HashState, utf8 } from './hash.js';
import { md5 } from './md5.js';
import { BUCKETS, type Context, type HashVersion } from './model.js';
import { sha256 } from './sha256.js';

// A unit is usually asked about many flags in a row, so its hash is kept for the last one. No answer depends on it.
let lastUnit: string | undefined;
const unitState: HashState = { hash: 0, tail: 0, length: 0 };

/** A salt made ready for its hash version. */
export interface Salt {
  readonly text: string;
  /** With the colon before it. */
  readonly encoded: EncodedText;
  /** `undefined` for murmur3, which needs nothing but the encoded text. */
  readonly imported: ImportedHash | undefined;
}

/** 0…99, as the source systems compute it. */
type ImportedHash = (unit: string, salt: string) => number;

/**
 * The hashes of the source systems, for flags imported from them: a whole number of percent, so that each of a hundred buckets stands
 * for a hundred of ours. `hash < percentage` there is `bucket < basis points` here.
 */
const IMPORTED: Readonly<Record<HashVersion, ImportedHash | undefined>> = {
  murmur3: undefined,
  sha256: (unit, salt) => modulo100(sha256(utf8(`${salt}:${unit}`))),
  'sha256-user-first': (unit, salt) => modulo100(sha256(utf8(`${unit}:${salt}`))),
  'md5-8': (unit, salt) => modulo100(md5(utf8(`${salt}:${unit}`)).slice(0, 1)),
  md5: (unit, salt) => modulo100(md5(utf8(`${salt}:${unit}`))),
};

/** Prepares salts; one that is used again, as by all rules of a flag, is prepared and kept once. */
export type SaltKeeper = typeof prepareSalt;

export function saltKeeper(): SaltKeeper {
  const prepared = new Map<string, Salt>();
  return (text, hashVersion) => {
    const name = `${hashVersion} ${text}`;
    let salt = prepared.get(name);
    if (salt === undefined) {
      salt = prepareSalt(text, hashVersion);
      prepared.set(name, salt);
    }
    return salt;
  };
}

/** Prepares a salt for `bucketOf`. */
export function prepareSalt(text: string, hashVersion: HashVersion): Salt {
  return { text, encoded: encode(`:${text}`), imported: IMPORTED[hashVersion] };
}

/**
 * Places a unit on the wheel of 10 000 buckets, uniformly; the same unit, salt and hash version give the same bucket on every host.
 * @param unit the value of the bucketing attribute, usually the user's id
 * @param salt the rollout's salt, the flag's key unless said otherwise; changing it reshuffles everyone
 * @returns an integer 0…9999: a number of basis points; a multiple of 100 for the hash versions of imported flags
 * Source: MurmurHash3 x86_32 over UTF-8 of `unit + ":" + salt`, seed 0; golden values in test/conformance/bucketing.json
 */
export function bucket(unit: string, salt: string, hashVersion: HashVersion = 'murmur3'): number {
  return bucketOf(unit, prepareSalt(salt, hashVersion));
}

/** `bucket` with a salt prepared once. */
export function bucketOf(unit: string, salt: Salt): number {
  if (salt.imported !== undefined) return salt.imported(unit, salt.text) * (BUCKETS / 100);
  const { words, bytes } = salt.encoded;
  return digestWith(hashOf(unit), words, 0, bytes) % BUCKETS;
}

/** What `digestWith` goes on from, for a salt with its colon; good until the next unit is asked about. */
export function hashOf(unit: string): HashState {
  if (unit !== lastUnit) {
    unitState.hash = unitState.tail = unitState.length = 0;
    absorb(unitState, unit);
    lastUnit = unit;
  }
  return unitState;
}

/** Of a number given in words of 32 bits, the first one highest. */
function modulo100(words: readonly number[]): number {
  return words.reduce((rest, word) => (rest * 2 ** 32 + word) % 100, 0);
}

/** The salt of a rollout's second question, "which variant?". */
export function variantSalt(salt: string): string {
  return `${salt}:variant`;
}

/** Reads who is to be bucketed, by an attribute of the context's own. */
export function unitOf(context: Context, attribute: string): string | undefined {
  return Object.hasOwn(context, attribute) ? textOf(context[attribute]) : undefined;
}

/**
 * The text of a unit. A string is itself; a finite number is its shortest decimal, so that 42 and "42" are the same unit.
 * Anything else, and an empty string, is no unit.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}
