/**
 * Claim: where a flag can be said both in our documents and in flagd's, both give the same answer: value, variant and reason, for
 * random flags and random contexts. `VEXIL_DIFFERENTIAL_SETS=2000` for a thorough run, `VEXIL_DIFFERENTIAL_SEED` to
 * repeat one.
 *
 * Said in both: on and off; a default; listed targets; rules in order; nested groups; segments; negation; texts, numbers, truth
 * values, lists and versions held against what is wanted; values of every type.
 *
 * Left out, because flagd means something else or has no words for it:
 *  - rollouts and `bucket`: the same hash, but laid on the wheel in another way, so that other users are in. Shares are compared.
 *  - an attribute of the wrong type: flagd converts ("5" is more than 4), we do not. What is missing is asked for first there.
 *  - versions that are none by semver.org ("1.2"): flagd completes them; `semver_in_range`: its ^ and ~ are not npm's.
 *  - the empty text looked for in the empty text: flagd does not find it.
 *  - `matches`, `in_cidr`, `case_insensitive`, dates as text, prerequisites: no words. Dates in epoch milliseconds are compared.
 *  - an off variant: flagd's DISABLED is always the caller's default, as ours is without one.
 */
import fc from 'fast-check';
import { compile, type Context, evaluate } from '../src/core/index.js';
import { printMachine } from './harness.js';
import { rivalPackages } from './rivals/packages.js';
import { conditionOf, rolloutOf, snapshotOf, type Wire } from './snapshots.js';

const SETS = Number(process.env['VEXIL_DIFFERENTIAL_SETS'] ?? 300);
const SEED = process.env['VEXIL_DIFFERENTIAL_SEED'];
const { FlagdCore } = rivalPackages()('@openfeature/flagd-core');

/** JSON that flagd reads as a question. */
type Logic = unknown;

/** A question in both languages. */
interface Both {
  readonly vexil: Wire;
  readonly flagd: Logic;
}

const attribute = (name: string): Logic => ({ var: name });
const isThere = (name: string): Logic => ({ '!==': [attribute(name), null] });

const TEXTS = ['', 'a', 'ab', 'b', 'NL', 'nl', 'é', '😀', 'true', '1', 'null', 'constructor', '__proto__'];
const NUMBERS = [-1, 0, 0.5, 1, 17, 18, 1e9, 1_700_000_000_000];
const VERSIONS = [
  '0.0.1',
  '1.2.3',
  '1.2.3-rc.1',
  '1.2.3-rc.10',
  '1.2.3-alpha',
  '1.10.0',
  '2.0.0',
  '2.0.0+build',
];

const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 });

/** A condition, asked only where the attribute is there: then neither language has to say what a missing one is. */
function question(
  name: string,
  operator: string,
  values: readonly unknown[],
  logic: (actual: Logic) => Logic,
): Both {
  const actual = attribute(name);
  return {
    vexil: conditionOf(name, operator, values),
    flagd: values.length === 0 ? false : { and: [isThere(name), logic(actual)] },
  };
}

const anyOf = (values: readonly unknown[], logic: (value: unknown) => Logic): Logic => ({
  or: values.map(logic),
});

const equality = (name: string, choice: readonly unknown[]): fc.Arbitrary<Both> =>
  fc.oneof(
    fc
      .constantFrom(...choice)
      .map((value) => question(name, 'equals', [value], (actual) => ({ '===': [actual, value] }))),
    some(choice).map((values) => question(name, 'in', values, (actual) => ({ in: [actual, values] }))),
  );

const text = fc.oneof(
  equality('text', TEXTS),
  some(TEXTS.filter((each) => each !== '')).map((values) =>
    question('text', 'contains', values, (actual) => anyOf(values, (value) => ({ in: [value, actual] }))),
  ),
  fc
    .tuple(fc.constantFrom('starts_with', 'ends_with'), some(TEXTS))
    .map(([operator, values]) =>
      question('text', operator, values, (actual) =>
        anyOf(values, (value) => ({ [operator]: [actual, value] })),
      ),
    ),
);

const ORDER = { gt: '>', gte: '>=', lt: '<', lte: '<=', before: '<', after: '>' } as const;
const ordering = (name: string, operators: readonly (keyof typeof ORDER)[]): fc.Arbitrary<Both> =>
  fc
    .tuple(fc.constantFrom(...operators), fc.constantFrom(...NUMBERS))
    .map(([operator, value]) =>
      question(name, operator, [value], (actual) => ({ [ORDER[operator]]: [actual, value] })),
    );

const number = fc.oneof(
  equality('number', NUMBERS),
  ordering('number', ['gt', 'gte', 'lt', 'lte']),
  ordering('joined', ['before', 'after']),
  fc
    .tuple(fc.constantFrom(...NUMBERS), fc.constantFrom(...NUMBERS))
    .map((pair) => pair.sort((a, b) => a - b))
    .map(([from, to]) =>
      question('number', 'between', [from, to], (actual) => ({ '<=': [from, actual, to] })),
    ),
);

const SEMVER = {
  semver_eq: '=',
  semver_gt: '>',
  semver_gte: '>=',
  semver_lt: '<',
  semver_lte: '<=',
} as const;
const version = fc
  .tuple(fc.constantFrom(...(Object.keys(SEMVER) as (keyof typeof SEMVER)[])), fc.constantFrom(...VERSIONS))
  .map(([operator, value]) =>
    question('version', operator, [value], (actual) => ({ sem_ver: [actual, SEMVER[operator], value] })),
  );

const list = fc.tuple(fc.boolean(), some([...TEXTS, ...NUMBERS, true])).map(([all, values]) =>
  question('list', all ? 'contains_all' : 'contains_any', values, (actual) => ({
    [all ? 'and' : 'or']: values.map((value) => ({ in: [value, actual] })),
  })),
);

const presence = fc
  .constantFrom('text', 'number', 'truth', 'version', 'list', 'absent')
  .map((name): Both => ({ vexil: conditionOf(name, 'is_set', []), flagd: isThere(name) }));

const SEGMENTS = ['staff', 'testers'] as const;
const membership = fc
  .constantFrom(...SEGMENTS)
  .map((key): Both => ({ vexil: { operator: 'in_segment', values: [key] }, flagd: { $ref: key } }));

const negated = (one: fc.Arbitrary<Both>): fc.Arbitrary<Both> =>
  fc.tuple(one, fc.boolean()).map(([{ vexil, flagd }, negate]) => ({
    vexil: { ...vexil, negate },
    flagd: negate ? { '!': [flagd] } : flagd,
  }));

/** `all` of nothing is true, `any` of nothing is false; flagd's are neither. */
const join = (name: 'all' | 'any', parts: readonly Both[]): Both => ({
  vexil: { [name]: parts.map(({ vexil }) => vexil) },
  flagd:
    parts.length === 0
      ? name === 'all'
      : { [name === 'all' ? 'and' : 'or']: parts.map(({ flagd }) => flagd) },
});

const leaf = (...more: fc.Arbitrary<Both>[]): fc.Arbitrary<Both> =>
  negated(fc.oneof(text, number, equality('truth', [true, false]), version, list, presence, ...more));

const groupOf = (leaves: fc.Arbitrary<Both>, depth: number): fc.Arbitrary<Both> => {
  const part = depth === 0 ? leaves : fc.oneof(leaves, groupOf(leaves, depth - 1));
  const parts = fc.array(part, { maxLength: 3 });
  return fc.oneof(
    parts.map((all) => join('all', all)),
    parts.map((any) => join('any', any)),
    part.map(({ vexil, flagd }) => ({ vexil: { not: vexil }, flagd: { '!': [flagd] } })),
  );
};

const UNITS = ['alice', 'bob', 'carol', '42', 'é'];
const unitIn = (keys: readonly string[]): Logic => ({ in: [attribute('targetingKey'), keys] });

const segment = fc.record({ included: some(UNITS), excluded: some(UNITS), conditions: groupOf(leaf(), 1) });

const VALUES = {
  boolean: fc.boolean(),
  string: fc.constantFrom(...TEXTS),
  number: fc.constantFrom(...NUMBERS),
  json: fc.dictionary(fc.constantFrom('a', 'b', 'colour'), fc.constantFrom(1, 'x', true, null), {
    maxKeys: 2,
  }),
};
const VARIANTS = ['on', 'off', 'third', 'constructor'] as const;

const flag = fc.constantFrom('boolean', 'string', 'number', 'json').chain((type) =>
  fc.record({
    type: fc.constant(type),
    values: fc.tuple(VALUES[type], VALUES[type], VALUES[type], VALUES[type]),
    enabled: fc.oneof(
      { weight: 9, arbitrary: fc.constant(true) },
      { weight: 1, arbitrary: fc.constant(false) },
    ),
    targets: fc.array(fc.tuple(fc.constantFrom(...VARIANTS), some(UNITS)), { maxLength: 2 }),
    rules: fc.array(fc.tuple(groupOf(leaf(membership), 2), fc.constantFrom(...VARIANTS)), { maxLength: 3 }),
    otherwise: fc.constantFrom(...VARIANTS),
  }),
);
type GivenFlag = typeof flag extends fc.Arbitrary<infer T> ? T : never;

const context = fc
  .record(
    {
      targetingKey: fc.constantFrom(...UNITS),
      text: fc.constantFrom(...TEXTS),
      number: fc.constantFrom(...NUMBERS),
      joined: fc.constantFrom(...NUMBERS),
      truth: fc.boolean(),
      version: fc.constantFrom(...VERSIONS),
      list: some([...TEXTS, ...NUMBERS, true]),
    },
    { requiredKeys: ['targetingKey'] },
  )
  .map((given): Context => given);

function ourFlag(key: string, { type, values, enabled, targets, rules, otherwise }: GivenFlag): Wire {
  const listed = new Set<string>();
  return {
    key,
    value_type: type,
    variants: VARIANTS.map((variant, index) => ({ key: variant, value: values[index] })),
    is_enabled: enabled,
    is_archived: false,
    off_variant: null,
    // Nobody is listed twice here; the first counts there.
    targets: targets.map(([variant, keys]) => ({
      variant,
      keys: keys.filter((unit) => !listed.has(unit) && listed.add(unit)),
    })),
    rules: rules.map(([{ vexil }, variant], index) => ({
      id: `r${index}`,
      conditions: vexil,
      serve: { variant },
    })),
    default_serve: { variant: otherwise },
    version: 1,
  };
}

function theirFlag({ values, enabled, targets, rules, otherwise }: GivenFlag): Logic {
  const branches = [
    ...targets.map(([variant, keys]): [Logic, string] => [unitIn(keys), variant]),
    ...rules.map(([{ flagd }, variant]): [Logic, string] => [flagd, variant]),
  ];
  return {
    state: enabled ? 'ENABLED' : 'DISABLED',
    variants: Object.fromEntries(VARIANTS.map((variant, index) => [variant, values[index]])),
    defaultVariant: otherwise,
    ...(branches.length > 0 && { targeting: { if: [...branches.flat(), null] } }),
  };
}

type GivenSegment = typeof segment extends fc.Arbitrary<infer T> ? T : never;
const ourSegment = (key: string, { included, excluded, conditions }: GivenSegment): Wire => ({
  key,
  included,
  excluded,
  conditions: conditions.vexil,
});
const theirSegment = ({ included, excluded, conditions }: GivenSegment): Logic => ({
  and: [{ '!': [unitIn(excluded)] }, { or: [unitIn(included), conditions.flagd] }],
});

/** What a caller sees who asks with a default of their own. */
const told = (value: unknown, variant: unknown, reason: unknown): string =>
  JSON.stringify({ value: value ?? 'the default', variant: variant ?? null, reason });

const TYPE = { boolean: 'boolean', string: 'string', number: 'number', json: 'object' } as const;
const quiet = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};
const answers = { all: 0, byReason: new Map<string, number>() };

const sameAnswers = fc.property(
  fc.array(flag, { minLength: 1, maxLength: 8 }),
  fc.tuple(segment, segment),
  fc.array(context, { minLength: 10, maxLength: 20 }),
  (flags, segments, contexts) => {
    const compiled = compile(
      snapshotOf(
        flags.map((given, index) => ourFlag(`f${index}`, given)),
        segments.map((given, index) => ourSegment(SEGMENTS[index]!, given)),
      ),
    );
    const flagd = new FlagdCore(undefined, quiet);
    flagd.setConfigurations(
      JSON.stringify({
        flags: Object.fromEntries(flags.map((given, index) => [`f${index}`, theirFlag(given)])),
        $evaluators: Object.fromEntries(
          segments.map((given, index) => [SEGMENTS[index]!, theirSegment(given)]),
        ),
      }),
    );
    for (const who of contexts) {
      for (const [index, { type }] of flags.entries()) {
        const key = `f${index}`;
        const { value, variant, reason } = evaluate(compiled, key, who);
        const theirs = flagd.resolve(TYPE[type], key, undefined, who);
        const [ours, other] = [
          told(value, variant, reason),
          told(theirs.value, theirs.variant, theirs.reason),
        ];
        if (ours !== other) throw new Error(`${key} for ${JSON.stringify(who)}: ${ours}, flagd ${other}`);
        answers.all += 1;
        answers.byReason.set(reason, (answers.byReason.get(reason) ?? 0) + 1);
      }
    }
  },
);

/** Percent of users by variant; three shares that no power of two divides. */
function shareProblems(): string[] {
  const weights = { on: 17, off: 33, third: 50 };
  const users = 50_000;
  const basisPoints = Object.fromEntries(Object.entries(weights).map(([key, weight]) => [key, weight * 100]));
  const given = { value_type: 'string', variants: VARIANTS.map((key) => ({ key, value: key })) };
  const ours = compile(
    snapshotOf([
      {
        key: 'f',
        ...given,
        is_enabled: true,
        is_archived: false,
        off_variant: null,
        default_serve: rolloutOf('f', 10_000, basisPoints),
        version: 1,
      },
    ]),
  );
  const flagd = new FlagdCore(undefined, quiet);
  const theirs = {
    state: 'ENABLED',
    variants: Object.fromEntries(VARIANTS.map((key) => [key, key])),
    defaultVariant: 'on',
    targeting: { fractional: Object.entries(weights) },
  };
  flagd.setConfigurations(JSON.stringify({ flags: { f: theirs } }));
  const counts = Object.keys(weights).map((variant) => ({ variant, vexil: 0, flagd: 0 }));
  for (let at = 0; at < users; at += 1) {
    const who = { targetingKey: `user-${at}` };
    for (const count of counts) {
      if (evaluate(ours, 'f', who).variant === count.variant) count.vexil += 1;
      if (flagd.resolve('string', 'f', '', who).variant === count.variant) count.flagd += 1;
    }
  }
  return counts.flatMap(({ variant, vexil, flagd: other }) => {
    const wanted = weights[variant as keyof typeof weights];
    const [one, two] = [(vexil / users) * 100, (other / users) * 100];
    console.log(
      `  share of ${variant}: wanted ${wanted} %, Vexil ${one.toFixed(2)} %, flagd ${two.toFixed(2)} %`,
    );
    return Math.abs(one - wanted) > 1 || Math.abs(two - wanted) > 1 ? [`the share of ${variant}`] : [];
  });
}

printMachine();
const result = fc.check(sameAnswers, { numRuns: SETS, ...(SEED !== undefined && { seed: Number(SEED) }) });
if (result.failed) {
  console.log(`  WRONG ANSWER: ${fc.defaultReportMessage(result) ?? ''}`);
  process.exitCode = 1;
} else {
  const reasons = [...answers.byReason].map(([reason, count]) => `${reason} ${count}`).join(', ');
  console.log(
    `\n  ${SETS} sets of flags, ${answers.all} answers, all the same (${reasons}); seed ${result.seed}`,
  );
}
for (const problem of shareProblems()) {
  console.log(`  WRONG ANSWER: ${problem}`);
  process.exitCode = 1;
}
