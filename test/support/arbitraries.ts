/** Random but valid things of the core, for property tests. */
import fc from 'fast-check';
import {
  allocate,
  type AllocationRange,
  BUCKETS,
  type Condition,
  type ConditionGroup,
  type ConditionNode,
  type Context,
  type Flag,
  HASH_VERSIONS,
  type JsonValue,
  type OperatorName,
  OPERATORS,
  type Scalar,
  type Segment,
  type Serve,
  type Snapshot,
  TARGETING_KEY,
  type ValueType,
  type Variant,
  VALUE_TYPES,
} from '../../src/core/index.js';

/** Any UTF-16 there is: names of Object.prototype, control characters, other scripts, halves of surrogate pairs. */
export const anyText = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
      .map((units) => String.fromCharCode(...units)),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'valueOf',
      '',
      ':',
      '\0',
      '\ud83d',
      '\ude00',
    ),
  );

export const variantKey = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,12}$/),
    fc.constantFrom('on', 'off', 'constructor', 'toString'),
  );

const VALUES: Readonly<Record<ValueType, fc.Arbitrary<JsonValue>>> = {
  boolean: fc.boolean(),
  string: anyText(),
  number: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  json: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue),
};

export const variantsOf = (valueType: ValueType): fc.Arbitrary<Variant[]> =>
  fc.uniqueArray(fc.record({ key: variantKey(), value: VALUES[valueType] }), {
    minLength: 1,
    maxLength: 8,
    selector: ({ key }) => key,
  });

/** Whole basis points, 10 000 in sum, zeros among them. */
export const weightsOf = (
  variants: readonly string[],
): fc.Arbitrary<{ variant: string; basisPoints: number }[]> =>
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: BUCKETS }), fc.constantFrom(0, BUCKETS)), {
      minLength: variants.length - 1,
      maxLength: variants.length - 1,
    })
    .map((cuts) => {
      const sorted = [...cuts, BUCKETS].sort((a, b) => a - b);
      return variants.map((variant, index) => ({
        variant,
        basisPoints: sorted[index]! - (sorted[index - 1] ?? 0),
      }));
    });

/** What a few changes of weights leave behind. */
export const rangesOf = (variants: readonly string[]): fc.Arbitrary<AllocationRange[]> =>
  fc
    .array(weightsOf(variants), { minLength: 1, maxLength: 4 })
    .map((changes) => changes.reduce<AllocationRange[]>((ranges, weights) => allocate(weights, ranges), []));

export const coverage = (): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 0, max: BUCKETS }), fc.constantFrom(0, 1, BUCKETS - 1, BUCKETS));

export const attributeName = (): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(TARGETING_KEY, 'company', 'version', 'date', 'ip', 'tags', 'age', 'now'),
    },
    anyText().filter((name) => name !== ''),
  );

export const serveOf = (variants: readonly string[]): fc.Arbitrary<Serve> =>
  fc.oneof(
    fc.record({ variant: fc.constantFrom(...variants) }),
    fc.record({
      rollout: fc.record({
        bucketBy: attributeName(),
        salt: anyText(),
        hashVersion: fc.oneof(
          { weight: 4, arbitrary: fc.constant('murmur3' as const) },
          fc.constantFrom(...HASH_VERSIONS),
        ),
        coverage: coverage(),
        ranges: rangesOf(variants),
      }),
    }),
  );

const FLAG_KEYS = ['a', 'b', 'c', 'd', 'e', 'constructor', '__proto__'] as const;
const SEGMENT_KEYS = ['staff', 'beta', 'toString', 'lost'] as const;
const TEXTS = ['alice', 'acme', 'ΑΘΗΝΑΣ', 'straße', '', '__proto__', 'constructor'] as const;
const VERSIONS = ['1.2.3', '2.0.0-rc.1', 'v0.0.1', '10.20.30+build'] as const;
const DATES = ['2026-01-31', '2026-01-31T12:00:00Z', '2024-02-29T23:59:60.5+05:30'] as const;
const ADDRESSES = ['10.1.2.3', '192.0.2.0', '2001:db8::1', '::ffff:10.1.2.3', '::'] as const;

const text = (): fc.Arbitrary<string> => fc.oneof(fc.constantFrom(...TEXTS), anyText());
const finite = (): fc.Arbitrary<number> =>
  fc
    .oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
    .map((n) => n + 0);
const scalar = (): fc.Arbitrary<Scalar> => fc.oneof(text(), finite(), fc.boolean());
const listOf = (values: fc.Arbitrary<Scalar>): fc.Arbitrary<Scalar[]> => fc.array(values, { maxLength: 4 });
const oneOf = (values: fc.Arbitrary<Scalar>): fc.Arbitrary<Scalar[]> => fc.array(values, { maxLength: 1 });
const span = (values: fc.Arbitrary<number>): fc.Arbitrary<Scalar[]> =>
  fc.tuple(values, values).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);

/** Values that each operator takes. */
const WANTED: Readonly<Record<OperatorName, fc.Arbitrary<Scalar[]>>> = {
  equals: oneOf(scalar()),
  in: listOf(scalar()),
  contains: listOf(text()),
  starts_with: listOf(text()),
  ends_with: listOf(text()),
  matches: listOf(fc.constantFrom('^a', '(a+)+$', 'straße', '\\p{Lu}', '')),
  gt: oneOf(finite()),
  gte: oneOf(finite()),
  lt: oneOf(finite()),
  lte: oneOf(finite()),
  between: span(finite()),
  semver_eq: oneOf(fc.constantFrom(...VERSIONS)),
  semver_gt: oneOf(fc.constantFrom(...VERSIONS)),
  semver_gte: oneOf(fc.constantFrom(...VERSIONS)),
  semver_lt: oneOf(fc.constantFrom(...VERSIONS)),
  semver_lte: oneOf(fc.constantFrom(...VERSIONS)),
  semver_in_range: listOf(fc.constantFrom('^1.0.0', '>=1.2 <3 || 10.x', '~2.0.0-rc', '1 - 2', '*')),
  before: oneOf(fc.constantFrom(...DATES)),
  after: oneOf(fc.oneof(fc.constantFrom(...DATES), finite())),
  is_set: fc.constant([]),
  contains_any: listOf(scalar()),
  contains_all: listOf(scalar()),
  in_cidr: listOf(fc.constantFrom('10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32', '::/0', '0.0.0.0/0')),
  in_segment: listOf(fc.constantFrom(...SEGMENT_KEYS)),
  bucket: span(fc.integer({ min: 0, max: BUCKETS })),
};
const FOLDS: readonly OperatorName[] = [
  ...['equals', 'in', 'contains', 'starts_with', 'ends_with', 'matches', 'contains_any', 'contains_all'],
] as OperatorName[];

export const condition = (): fc.Arbitrary<Condition> =>
  fc.constantFrom(...OPERATORS).chain((operator) =>
    fc
      .record({
        attribute: operator === 'in_segment' ? fc.constant(TARGETING_KEY) : attributeName(),
        operator: fc.constant(operator),
        values: WANTED[operator],
        negate: fc.boolean(),
        caseInsensitive: FOLDS.includes(operator) ? fc.boolean() : fc.constant(false),
        salt: anyText(),
        hashVersion: fc.constantFrom(...HASH_VERSIONS),
      })
      .map(({ salt, hashVersion, ...rest }) =>
        operator === 'bucket' ? { ...rest, salt, hashVersion } : rest,
      ),
  );

export const conditions = (): fc.Arbitrary<ConditionGroup> =>
  fc.letrec<{ node: ConditionNode; group: ConditionGroup }>((tie) => ({
    node: fc.oneof({ maxDepth: 3, withCrossShrink: true }, condition(), tie('group')),
    group: fc.oneof(
      fc.record({ all: fc.array(tie('node'), { maxLength: 4 }) }),
      fc.record({ any: fc.array(tie('node'), { maxLength: 4 }) }),
      fc.record({ not: tie('node') }),
    ),
  })).group;

const unitKeys = (): fc.Arbitrary<string[]> =>
  fc.uniqueArray(
    text().filter((key) => key !== ''),
    { maxLength: 4 },
  );

export const segment = (): fc.Arbitrary<Segment> =>
  fc.record({
    // 'lost' is used, and never there.
    key: fc.constantFrom(...SEGMENT_KEYS.slice(0, -1)),
    included: unitKeys(),
    excluded: unitKeys(),
    conditions: fc.option(conditions()),
  });

const targetsOf = (variants: readonly string[]): fc.Arbitrary<Flag['targets']> =>
  fc
    .tuple(unitKeys(), fc.constantFrom(...variants), fc.constantFrom(...variants))
    .map(([keys, one, other]) => [
      { variant: one, keys: keys.slice(0, 2) },
      ...(keys.length > 2 ? [{ variant: other, keys: keys.slice(2) }] : []),
    ]);

const rulesOf = (variants: readonly string[]): fc.Arbitrary<Flag['rules']> =>
  fc.uniqueArray(
    fc.record({
      id: anyText().filter((id) => id !== ''),
      name: fc.option(anyText()),
      conditions: conditions(),
      serve: serveOf(variants),
    }),
    { maxLength: 4, selector: ({ id }) => id },
  );

const sometimes = <Value>(value: fc.Arbitrary<readonly Value[]>): fc.Arbitrary<readonly Value[]> =>
  fc.oneof(fc.constant([]), value);

export const flag = (): fc.Arbitrary<Flag> =>
  fc
    .constantFrom(...VALUE_TYPES)
    .chain((valueType) => fc.tuple(fc.constant(valueType), variantsOf(valueType)))
    .chain(([valueType, variants]) => {
      const keys = variants.map(({ key }) => key);
      return fc.record({
        key: fc.oneof(
          fc.constantFrom(...FLAG_KEYS),
          anyText().filter((key) => key !== ''),
        ),
        valueType: fc.constant(valueType),
        variants: fc.constant(variants),
        isEnabled: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
        isArchived: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
        clientVisible: fc.boolean(),
        offVariant: fc.option(fc.constantFrom(...keys)),
        prerequisites: sometimes(
          fc.array(
            fc.record({
              flagKey: fc.constantFrom(...FLAG_KEYS),
              variants: fc.array(fc.constantFrom('on', 'off', ...keys), { maxLength: 3 }),
            }),
            { maxLength: 2 },
          ),
        ),
        targets: sometimes(targetsOf(keys)),
        rules: sometimes(rulesOf(keys)),
        defaultServe: serveOf(keys),
        version: fc.nat(),
      });
    });

export const snapshot = (): fc.Arbitrary<Snapshot> =>
  fc.record({
    environmentKey: anyText().filter((key) => key !== ''),
    revision: fc.nat(),
    flags: fc.uniqueArray(flag(), { maxLength: 6, selector: ({ key }) => key }),
    segments: fc.uniqueArray(segment(), { maxLength: 3, selector: ({ key }) => key }),
  });

/** What attributes may hold: values that operators want, values they do not, and what is no JSON. */
const attribute = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    scalar(),
    fc.constantFrom(...VERSIONS, ...DATES, ...ADDRESSES, 'alice', NaN, Infinity, -0, null, undefined),
    listOf(scalar()),
    fc.jsonValue({ maxDepth: 1 }),
  );

export const context = (): fc.Arbitrary<Context> =>
  fc
    .tuple(
      fc.option(fc.oneof(text(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)), {
        nil: undefined,
      }),
      fc.dictionary(
        fc.oneof(fc.constantFrom('company', 'version', 'date', 'ip', 'tags', 'age', 'now'), anyText()),
        attribute(),
      ),
      fc.boolean(),
    )
    .map(([targetingKey, attributes, isBare]) => {
      const bag = isBare ? (Object.create(null) as object) : {};
      for (const [name, value] of Object.entries(attributes)) {
        Object.defineProperty(bag, name, { value, enumerable: true, configurable: true, writable: true });
      }
      if (targetingKey !== undefined) Object.assign(bag, { targetingKey });
      return bag as Context;
    });
