import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compile, evaluate, parseSnapshot, serializeSnapshot } from '../../src/core/index.js';
import { snapshot } from '../support/arbitraries.js';
import { flagWire, ON_OFF, rolloutWire, rulesetWire, snapshotFrom, type Wire } from '../support/builders.js';

const problemsOf = (input: unknown) => parseSnapshot(input).problems.map(({ path }) => path);
const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;

it('gives back the snapshot that was serialised, also through JSON text', () => {
  fc.assert(
    fc.property(snapshot(), (original) => {
      const document = serializeSnapshot(original);
      expect(parseSnapshot(document)).toEqual({ ok: true, snapshot: original, problems: [] });
      expect(parseSnapshot(JSON.parse(JSON.stringify(document)))).toEqual({
        ok: true,
        snapshot: original,
        problems: [],
      });
    }),
  );
});

it('gives back what it read, unreadable flags included, and reads that the same again', () => {
  const flags = fc.array(
    fc.oneof(fc.jsonValue(), fc.constant(flagWire('a')), fc.record({ key: fc.string() })),
  );
  fc.assert(
    fc.property(flags, (documents) => {
      const first = parseSnapshot(rulesetWire(documents));
      if (!first.ok) throw new Error('the document itself is right');
      expect(parseSnapshot(serializeSnapshot(first.snapshot))).toMatchObject({
        ok: true,
        snapshot: first.snapshot,
      });
    }),
  );
});

it('never throws, whatever comes in', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
  });
  fc.assert(
    fc.property(anything, anything, anything, (one, two, three) => {
      parseSnapshot(one);
      parseSnapshot(rulesetWire([one, two, three]));
      parseSnapshot({ ...rulesetWire([]), flags: one, revision: two });
      parseSnapshot(rulesetWire([flagWire('f', { variants: one, default_serve: two, off_variant: three })]));
      parseSnapshot(rulesetWire([flagWire('f', { variants: [{ key: one, value: two }], version: three })]));
      parseSnapshot(
        rulesetWire([flagWire('f', { default_serve: rolloutWire('f', 1, { ranges: one, salt: two }) })]),
      );
    }),
  );
});

it.each<[string, unknown]>([
  [
    'a getter that throws',
    Object.defineProperty({}, 'flags', { get: () => Object.fromEntries([null as never]) }),
  ],
  [
    'a proxy without a target',
    (() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    })(),
  ],
])('refuses %s without throwing', (_, input) => {
  expect(parseSnapshot(input).ok).toBe(false);
});

it.each<[string, unknown, string[]]>([
  ['nothing', undefined, ['']],
  ['null', null, ['']],
  ['a list', [], ['']],
  ['text', '{}', ['']],
  ['another spec version', rulesetWire([], { spec_version: 2 }), ['spec_version']],
  ['no spec version', rulesetWire([], { spec_version: undefined }), ['spec_version']],
  ['an environment without a key', rulesetWire([], { environment_key: '' }), ['environment_key']],
  ['a revision below zero', rulesetWire([], { revision: -1 }), ['revision']],
  ['flags that are no list', rulesetWire([], { flags: {} }), ['flags']],
  ['no fields', {}, ['spec_version', 'environment_key', 'revision', 'flags']],
  [
    'inherited fields',
    Object.create(rulesetWire([])),
    ['spec_version', 'environment_key', 'revision', 'flags'],
  ],
])('refuses a document that is %s', (_, input, paths) => {
  expect(parseSnapshot(input).ok).toBe(false);
  expect(problemsOf(input)).toEqual(paths);
});

const variantsOf = (...values: unknown[]) => values.map((value, index) => ({ key: `v${index}`, value }));
const typed = (value_type: string, ...values: unknown[]): Wire => ({
  value_type,
  variants: variantsOf(...values),
  off_variant: null,
  default_serve: { variant: 'v0' },
});
const rollout = (changes: Wire): Wire => ({ default_serve: rolloutWire('s', 5_000, changes) });
const ranges = (...list: [string, unknown, unknown][]): Wire =>
  rollout({ ranges: list.map(([variant, from, to]) => ({ variant, from, to })) });

const broken: [string, unknown, string[]][] = [
  ['value type', flagWire('x', { value_type: 'date' }), ['value_type']],
  ['value type named like a method', flagWire('x', { value_type: 'constructor' }), ['value_type']],
  ['variants', flagWire('x', { variants: null }), ['variants']],
  [
    'empty list of variants',
    flagWire('x', { variants: [], off_variant: null }),
    ['variants', 'default_serve.variant'],
  ],
  ['variant', flagWire('x', { variants: [...ON_OFF, 7] }), ['variants[2]']],
  ['variant without a value', flagWire('x', { variants: [...ON_OFF, { key: 'a' }] }), ['variants[2].value']],
  ['variant key', flagWire('x', { variants: [...ON_OFF, { key: 'a b', value: true }] }), ['variants[2].key']],
  [
    'variant key that is too long',
    flagWire('x', { variants: [...ON_OFF, { key: 'a'.repeat(101), value: true }] }),
    ['variants[2].key'],
  ],
  ['variant key twice', flagWire('x', { variants: [...ON_OFF, ON_OFF[0]] }), ['variants[2].key']],
  ['boolean', flagWire('x', typed('boolean', 'true')), ['variants[0].value']],
  ['string', flagWire('x', typed('string', 'a', 1)), ['variants[1].value']],
  ['number', flagWire('x', typed('number', 1, '2')), ['variants[1].value']],
  ['number beyond all bounds', flagWire('x', typed('number', JSON.parse('1e999'))), ['variants[0].value']],
  ['json value that is too deep', flagWire('x', typed('json', nested(101))), ['variants[0].value']],
  [
    'json value of a depth that would exhaust the stack',
    flagWire('x', typed('json', nested(100_000))),
    ['variants[0].value'],
  ],
  ['is_enabled', flagWire('x', { is_enabled: 'yes' }), ['is_enabled']],
  ['is_archived', flagWire('x', { is_archived: 0 }), ['is_archived']],
  ['off variant', flagWire('x', { off_variant: 'none' }), ['off_variant']],
  ['off variant named like a method', flagWire('x', { off_variant: 'constructor' }), ['off_variant']],
  ['version', flagWire('x', { version: 1.5 }), ['version']],
  ['serve', flagWire('x', { default_serve: null }), ['default_serve']],
  ['serve of nothing', flagWire('x', { default_serve: {} }), ['default_serve.variant']],
  [
    'serve of two things',
    flagWire('x', { default_serve: { variant: 'on', ...rolloutWire('s', 1) } }),
    ['default_serve'],
  ],
  ['served variant', flagWire('x', { default_serve: { variant: '__proto__' } }), ['default_serve.variant']],
  ['rollout', flagWire('x', { default_serve: { rollout: [] } }), ['default_serve.rollout']],
  [
    'hash version',
    flagWire('x', rollout({ hash_version: 'murmur4' })),
    ['default_serve.rollout.hash_version'],
  ],
  [
    'missing hash version',
    flagWire('x', rollout({ hash_version: undefined })),
    ['default_serve.rollout.hash_version'],
  ],
  ['bucketing attribute', flagWire('x', rollout({ bucket_by: '' })), ['default_serve.rollout.bucket_by']],
  ['salt', flagWire('x', rollout({ salt: 5 })), ['default_serve.rollout.salt']],
  [
    'coverage above the whole',
    flagWire('x', rollout({ coverage: 10_001 })),
    ['default_serve.rollout.coverage'],
  ],
  [
    'coverage between basis points',
    flagWire('x', rollout({ coverage: 0.5 })),
    ['default_serve.rollout.coverage'],
  ],
  ['list of ranges', flagWire('x', ranges()), ['default_serve.rollout.ranges']],
  ['end of the ranges', flagWire('x', ranges(['on', 0, 9_999])), ['default_serve.rollout.ranges']],
  ['start of the ranges', flagWire('x', ranges(['on', 1, 10_000])), ['default_serve.rollout.ranges[0].from']],
  [
    'gap in the ranges',
    flagWire('x', ranges(['on', 0, 5_000], ['off', 5_001, 10_000])),
    ['default_serve.rollout.ranges[1].from'],
  ],
  [
    'overlap of ranges',
    flagWire('x', ranges(['on', 0, 5_000], ['off', 4_999, 10_000])),
    ['default_serve.rollout.ranges[1].from'],
  ],
  [
    'empty range',
    flagWire('x', ranges(['on', 0, 10_000], ['off', 10_000, 10_000])),
    ['default_serve.rollout.ranges[1].to'],
  ],
  [
    'variant of a range',
    flagWire('x', ranges(['blue', 0, 10_000])),
    ['default_serve.rollout.ranges[0].variant'],
  ],
];

it.each(broken)(
  'keeps a flag with a broken %s as unreadable, says where, and reads the others',
  (_, flag, paths) => {
    const result = parseSnapshot(rulesetWire([flagWire('before'), flag, flagWire('after')]));
    if (!result.ok) throw new Error('the document itself is right');
    expect(result.problems.map(({ path }) => path)).toEqual(paths.map((path) => `flags[1].${path}`));
    expect(result.snapshot.flags.map((each) => [each.key, 'document' in each])).toEqual([
      ['before', false],
      ['x', true],
      ['after', false],
    ]);
    const compiled = compile(result.snapshot);
    expect(evaluate(compiled, 'after', {})).toMatchObject({ value: true, reason: 'STATIC' });
    expect(evaluate(compiled, 'x', { targetingKey: 'alice' })).toMatchObject({
      value: undefined,
      variant: undefined,
      reason: 'ERROR',
      errorCode: 'PARSE_ERROR',
    });
  },
);

it('lists all problems of a flag at once', () => {
  const flag = flagWire('x', { is_enabled: 1, version: null, variants: [{ key: 1 }] });
  expect(problemsOf(rulesetWire([flag]))).toEqual([
    'flags[0].variants[0].key',
    'flags[0].variants[0].value',
    'flags[0].is_enabled',
    'flags[0].version',
  ]);
});

it('survives a flag with more problems than a call takes arguments', () => {
  const wrong = new Array<null>(200_000).fill(null);
  const result = parseSnapshot(rulesetWire([flagWire('x', { variants: wrong }), flagWire('y')]));
  expect(result.ok && result.snapshot.flags.map(({ key }) => key)).toEqual(['x', 'y']);
  expect(result.problems).toHaveLength(200_000);
});

it('keeps the key of a flag that is no JSON, so that it is still there when read again', () => {
  const flag = flagWire('deep', { variants: nested(200) });
  const first = parseSnapshot(rulesetWire([flag]));
  if (!first.ok) throw new Error('the document itself is right');
  const second = parseSnapshot(serializeSnapshot(first.snapshot));
  expect(second).toMatchObject({
    ok: true,
    snapshot: { flags: [{ key: 'deep', document: { key: 'deep' }, flaws: expect.any(Array) }] },
  });
});

it('leaves out what has no key, and says so', () => {
  const result = parseSnapshot(rulesetWire([null, {}, flagWire(''), flagWire('a')]));
  expect(result.ok && result.snapshot.flags.map(({ key }) => key)).toEqual(['a']);
  expect(new Set(result.problems.map(({ path }) => path.slice(0, 8)))).toEqual(
    new Set(['flags[0]', 'flags[1]', 'flags[2]']),
  );
});

it('trusts neither of two flags with one key, in whatever order they come', () => {
  const flags = [flagWire('a'), flagWire('b'), flagWire('a', { is_enabled: false })];
  for (const documents of [flags, flags.toReversed()]) {
    const result = parseSnapshot(rulesetWire(documents));
    if (!result.ok) throw new Error('the document itself is right');
    const compiled = compile(result.snapshot);
    expect(evaluate(compiled, 'a', {})).toMatchObject({ errorCode: 'PARSE_ERROR' });
    expect(evaluate(compiled, 'b', {})).toMatchObject({ value: true });
  }
});

it('buckets by the targeting key unless said otherwise, and needs no off variant', () => {
  const document = flagWire('a', { off_variant: undefined, ...rollout({ bucket_by: undefined }) });
  expect(snapshotFrom(rulesetWire([document])).flags[0]).toMatchObject({
    offVariant: null,
    defaultServe: { rollout: { bucketBy: 'targetingKey' } },
  });
});

it('keeps keys named like parts of an object as data, and pollutes nothing', () => {
  const text = JSON.stringify(
    rulesetWire([flagWire('__proto__', typed('json', 'VALUE')), flagWire('constructor')]),
  );
  const document: unknown = JSON.parse(
    text.replace('"VALUE"', '{"__proto__":{"polluted":true},"constructor":1}'),
  );
  const compiled = compile(snapshotFrom(document));
  const { value } = evaluate(compiled, '__proto__', {});
  expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
  expect(evaluate(compiled, 'constructor', {})).toMatchObject({ value: true });
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it('shares nothing with the document it read', () => {
  const value = { colours: ['blue'] };
  const compiled = compile(snapshotFrom(rulesetWire([flagWire('a', typed('json', value))])));
  value.colours.push('red');
  const decided = evaluate(compiled, 'a', {}).value as { colours: string[] };
  expect(decided).toEqual({ colours: ['blue'] });
  expect(() => decided.colours.push('green')).toThrow(TypeError);
});
