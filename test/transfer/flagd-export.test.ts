/**
 * What `npm run export -- --to flagd` writes gives, by @openfeature/flagd-core, the value and the variant that Vexil gives: for random flags, segments
 * and contexts, whose attributes are also missing and of the wrong type; and each file, with `--approximate` too, holds to flagd's JSON schema, as that
 * package has it. `VEXIL_DIFFERENTIAL_SETS=2000` for a thorough run. What the export refuses is not compared.
 *
 * Left out, because flagd means something else: versions that are none by semver.org ("1.2"), objects where something simple is asked.
 */
import { expect, it } from '@jest/globals';
import { FlagdCore } from '@openfeature/flagd-core';
import fc from 'fast-check';
import { compile, evaluate, parseSnapshot } from '../../src/core/index.js';
import { fromVexil } from '../../src/transfer/flag-document.js';
import { toFlagd, type FlagdDocument } from '../../src/transfer/flagd-export.js';

const SETS = Number(process.env['VEXIL_DIFFERENTIAL_SETS'] ?? 300);

const TEXTS = ['', 'a', 'ab', 'NL', 'é', '😀', 'true', '1', 'null', '__proto__'];
const NUMBERS = [-1, 0, 0.5, 1, 17, 18, 1e9];
const VERSIONS = ['0.0.1', '1.2.3', '1.2.3-rc.1', '1.10.0', '2.0.0+build'];
const ANY = [...TEXTS, ...NUMBERS, true, false];
const VARIANTS = ['on', 'off', 'third'];
const UNITS = ['alice', 'bob', 'carol', 'é'];
const SEGMENTS = ['inner', 'outer'];
const ATTRIBUTES = ['text', 'number', 'truth', 'list', 'absent'];

const some = <T>(values: readonly T[], minLength = 0): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength, maxLength: 3 });
const asked = (
  attributes: readonly string[],
  operators: readonly string[],
  values: fc.Arbitrary<readonly unknown[]>,
): fc.Arbitrary<object> =>
  fc.record({
    attribute: fc.constantFrom(...attributes),
    operator: fc.constantFrom(...operators),
    values,
    negate: fc.boolean(),
  });
const leaves = [
  asked(
    ATTRIBUTES,
    ['equals'],
    fc.constantFrom(...ANY).map((value) => [value]),
  ),
  asked(ATTRIBUTES, ['in', 'contains_any', 'contains_all'], some(ANY)),
  asked(ATTRIBUTES, ['contains', 'starts_with', 'ends_with'], some(TEXTS)),
  asked(
    ATTRIBUTES,
    ['gt', 'gte', 'lt', 'lte'],
    fc.constantFrom(...NUMBERS).map((value) => [value]),
  ),
  asked(
    ATTRIBUTES,
    ['between'],
    fc
      .tuple(fc.constantFrom(...NUMBERS), fc.constantFrom(...NUMBERS))
      .map((pair) => pair.sort((a, b) => a - b)),
  ),
  asked(
    ['version', 'absent'],
    ['semver_eq', 'semver_gt', 'semver_gte', 'semver_lt', 'semver_lte'],
    fc.constantFrom(...VERSIONS).map((value) => [value]),
  ),
  asked(ATTRIBUTES, ['is_set'], fc.constant([])),
];
const membership = (keys: readonly string[]): fc.Arbitrary<object> =>
  fc.record({ operator: fc.constant('in_segment'), values: some(keys), negate: fc.boolean() });
const groupOf = (leaf: fc.Arbitrary<object>, depth: number): fc.Arbitrary<object> => {
  const part = depth === 0 ? leaf : fc.oneof(leaf, groupOf(leaf, depth - 1));
  const parts = fc.array(part, { maxLength: 3 });
  return fc.oneof(
    parts.map((all) => ({ all })),
    parts.map((any) => ({ any })),
    part.map((not) => ({ not })),
  );
};
const segmentOf = (key: string, leaf: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.record({
    key: fc.constant(key),
    included: some(UNITS),
    excluded: some(UNITS),
    conditions: fc.oneof(fc.constant(null), groupOf(leaf, 1)),
  });

const serve = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...VARIANTS).map((variant): object => ({ variant })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(0, 2500, 10_000),
        fc.constantFrom(...VARIANTS),
        fc.constantFrom('targetingKey', 'number', 'text', 'list'),
      )
      .map(([coverage, variant, bucket_by]): object => ({
        rollout: {
          bucket_by,
          salt: 's',
          hash_version: 'murmur3',
          coverage,
          ranges: [{ variant, from: 0, to: 10_000 }],
        },
      })),
  },
);
const TYPES = {
  boolean: [true, false, true],
  string: ['x', '', 'z'],
  number: [0, 1.5, -3],
  json: [{ a: 1 }, {}, { b: [] }],
};
const flag = fc
  .record({
    value_type: fc.constantFrom('boolean', 'string', 'number', 'json'),
    is_enabled: fc.oneof(
      { weight: 9, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    ),
    off_variant: fc.constantFrom(null, ...VARIANTS),
    targets: fc
      .tuple(fc.constantFrom(...VARIANTS), some(UNITS))
      .map(([variant, keys]) => [{ variant, keys }]),
    rules: fc.array(fc.tuple(groupOf(fc.oneof(...leaves, membership(SEGMENTS)), 2), serve), { maxLength: 3 }),
    default_serve: serve,
  })
  .map(({ rules, ...rest }) => ({
    ...rest,
    variants: VARIANTS.map((key, index) => ({
      key,
      value: TYPES[rest.value_type][index],
    })),
    rules: rules.map(([conditions, served], index) => ({ id: `r${index}`, conditions, serve: served })),
  }));
const anything = fc.oneof(fc.constantFrom(...ANY), some(ANY), fc.constant(null));
const context = fc.record(
  {
    targetingKey: fc.constantFrom(...UNITS),
    text: fc.oneof(fc.constantFrom(...TEXTS), anything),
    number: fc.oneof(fc.constantFrom(...NUMBERS), anything),
    truth: fc.oneof(fc.boolean(), anything),
    list: fc.oneof(some(ANY), anything),
    version: fc.constantFrom(...VERSIONS),
  },
  { requiredKeys: ['targetingKey'] },
);

const ASKED_AS = { boolean: 'boolean', string: 'string', number: 'number', json: 'object' } as const;
/** In place of a caller's default: nothing that a flag could serve. */
const NOTHING = undefined as unknown as boolean;
/** It tells a file that does not hold to the schema, and reads it all the same. */
const invalid: string[] = [];
const quiet = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: (message: string) => {
    if (message.startsWith('invalid flagd flag configuration')) invalid.push(message);
  },
};
/** @throws unless it holds to flagd's schema */
function read(document: FlagdDocument) {
  const flagd = new FlagdCore(undefined, quiet);
  flagd.setConfigurations(JSON.stringify(document));
  if (invalid.length > 0) throw new Error(`${invalid.join('\n')}\n${JSON.stringify(document)}`);
  counts.valid += 1;
  return flagd;
}
const counts = { same: 0, valid: 0, exported: 0, refused: 0 };
const told = (value: unknown, variant: unknown): string =>
  JSON.stringify([value ?? 'the default', variant ?? null]);

const sameAnswers = fc.property(
  fc.array(flag, { minLength: 1, maxLength: 6 }),
  fc.tuple(
    segmentOf('inner', fc.oneof(...leaves)),
    segmentOf('outer', fc.oneof(...leaves, membership(['inner']))),
  ),
  fc.array(context, { minLength: 10, maxLength: 20 }),
  (given, segments, contexts) => {
    const flags = given.map((each, index) => ({ key: `f${index}`, prerequisites: [], ...each }));
    const portable = fromVexil({ vexil: 1, segments, flags });
    if (portable.refused.length > 0) throw new Error(JSON.stringify(portable.refused));
    const whole = flags.map((each) => ({ ...each, is_archived: false, version: 1 }));
    const parsed = parseSnapshot({
      spec_version: 1,
      environment_key: 'x',
      revision: 1,
      flags: whole,
      segments,
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const compiled = compile(parsed.snapshot);
    const { document, refused } = toFlagd(portable, { isApproximate: false });
    counts.refused += refused.length;
    counts.exported += Object.keys(document.flags).length;
    const flagd = read(document);
    read(toFlagd(portable, { isApproximate: true }).document);
    for (const who of contexts) {
      for (const { key, value_type } of flags.filter((each) => Object.hasOwn(document.flags, each.key))) {
        const ours = evaluate(compiled, key, who);
        const theirs = flagd.resolve(ASKED_AS[value_type], key, NOTHING, who);
        const [one, other] = [told(ours.value, ours.variant), told(theirs.value, theirs.variant)];
        if (one !== other)
          throw new Error(
            `${key} for ${JSON.stringify(who)}: ${one}, flagd ${other} ${JSON.stringify(theirs)}`,
          );
        counts.same += 1;
      }
    }
  },
);

it('a flagd file gives the same answers, and holds to the schema', () => {
  fc.assert(sameAnswers, { numRuns: SETS });
  // Most can be said in flagd's words: otherwise little was compared.
  expect(counts.refused).toBeLessThan(counts.exported);
  expect(counts.same).toBeGreaterThan(10 * SETS);
  expect(counts.valid).toBe(2 * SETS);
});
