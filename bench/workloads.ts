/** What every side of the in-process benches is given: the same flags, the same conditions, the same people. */
import { murmur3OfAscii } from './by-hand.js';

export const FLAGS = 1_000;
export const USERS = 1_024;

/** Percent of the users that a rollout takes in. */
export const ROLLOUT = 25;

/** The flags a row asks: on for everybody; on for a share; on for a share of those for whom five conditions hold. */
export const ROWS = ['static', 'rollout', 'targeted'] as const;
export type Row = (typeof ROWS)[number];

export const flagKeys = Array.from({ length: FLAGS }, (_, index) => `checkout-feature-${index}`);
// The keys a caller asks with are its own strings, not the ones the flags were read from.
export const askedKeys = Array.from({ length: FLAGS }, (_, index) =>
  ['checkout', 'feature', index].join('-'),
);

// A type and not an interface: only then it is also a context, a record of attributes.
export type Person = {
  readonly targetingKey: string;
  readonly country: string;
  readonly plan: string;
  readonly age: number;
  readonly appVersion: string;
  readonly email: string;
};

/** The five conditions hold for all of them. */
export const people: readonly Person[] = Array.from({ length: USERS }, (_, index) => ({
  targetingKey: `user-${index * 7_919}`,
  country: ['NL', 'BE', 'LU', 'DE'][index % 4]!,
  plan: 'pro',
  age: 18 + (index % 60),
  appVersion: `2.${3 + (index % 40)}.1`,
  email: `somebody.${index}@example.com`,
}));

/** The first of the people five times, each time with another of the five conditions not holding. */
export const outsiders: readonly Person[] = [
  { country: 'FR' },
  { plan: 'free' },
  { age: 17 },
  { appVersion: '2.2.9' },
  { email: 'somebody@example.org' },
].map((change) => ({ ...people[0]!, ...change }));

/** What the five conditions want; the last one is negated. */
export const WANTED = {
  countries: ['NL', 'BE', 'LU', 'DE'],
  plan: 'pro',
  age: 18,
  appVersion: '2.3.0',
  email: '@example.org',
} as const;

/** Whether a flag with a rollout is on, by hand. */
export function isOnByHand(user: string, flagKey: string): boolean {
  const threshold = thresholds.get(flagKey);
  return threshold !== undefined && murmur3OfAscii(`${user}:${flagKey}`) % 10_000 < threshold;
}
const thresholds = new Map(flagKeys.map((key) => [key, ROLLOUT * 100]));

/**
 * Flags that ask segments one after the other, and then a rollout. All three conditions of a segment are asked, and only the age
 * keeps people out, so that nothing is passed over; who is older than `everyAge` is in all of them.
 */
export const BULK = {
  flags: Array.from({ length: 50 }, (_, index) => `bulk-${index}`),
  countries: WANTED.countries,
  plans: ['pro', 'team'],
  segments: Array.from({ length: 15 }, (_, index) => ({ key: `segment-${index}`, olderThan: 200 + index })),
  everyAge: 300,
} as const;
