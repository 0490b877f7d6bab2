import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  bucket,
  compile,
  type Context,
  decideAll,
  evaluate,
  evaluateAll,
  type FlatFlags,
  flatten,
  parseSnapshot,
  reasonSentence,
  serializeSnapshot,
  type Snapshot,
} from '../../src/core/index.js';
import { anyText, context, snapshot } from '../support/arbitraries.js';
import {
  compiledFrom,
  conditionWire,
  flagWire,
  patterns,
  rolloutWire,
  ruleWire,
} from '../support/builders.js';

const attempts = { numRuns: 500 };
const rolled = (coverage: number, changes = {}) =>
  compiledFrom(flagWire('f', { default_serve: rolloutWire('f', coverage, changes) }));

it('answers the same twice, alone or among all flags, whatever was asked in between', () => {
  fc.assert(
    fc.property(snapshot(), context(), context(), (given, one, other) => {
      const compiled = compile(given, { patterns });
      const first = evaluateAll(compiled, one);
      evaluateAll(compiled, other);
      expect(evaluateAll(compile(given, { patterns }), one)).toEqual(first);
      expect(given.flags.map(({ key }) => evaluate(compiled, key, one))).toEqual(first);
    }),
    attempts,
  );
});

it('answers about flat flags what it answers about them as they are, for some of them and after others asked', () => {
  const isHalf = (_: unknown, at: number) => at % 2 === 0;
  const asFlat = (flat: FlatFlags, who: Context) =>
    Array.from(decideAll(flat, who, 0), (number) => flat.decisions[number]);
  fc.assert(
    fc.property(snapshot(), fc.array(context(), { minLength: 2, maxLength: 4 }), (given, contexts) => {
      const compiled = compile(given, { patterns });
      const half = new Set(given.flags.map(({ key }) => key).filter(isHalf));
      const [all, some] = [flatten(compiled), flatten(compiled, half)];
      for (const who of contexts) {
        expect(asFlat(all, who)).toEqual(evaluateAll(compiled, who, 0, undefined, false));
        expect(asFlat(some, who)).toEqual(evaluateAll(compiled, who, 0, half, false));
      }
    }),
    attempts,
  );
});

it.each(['', 'a', 'ab', 'abc', 'abcd', 'ünï', '😀'])(
  'places the unit "%s" among flat flags with any salt',
  (tail) => {
    const salts = ['', 's', 'sa', 'sal', 'salt', 'sälz', '😀😀', 'a-salt-that-is-longer'];
    const flags = salts.flatMap((salt, at) => [
      flagWire(`f${at}`, { default_serve: rolloutWire(`${salt}.`, 5_000) }),
      flagWire(`o${at}`, { default_serve: rolloutWire(`${salt}.`, 5_000, { bucket_by: 'other' }) }),
    ]);
    const compiled = compiledFrom(...flags);
    const flat = flatten(compiled);
    for (let user = 0; user < 50; user += 1) {
      const who = { targetingKey: `${user}${tail}`, other: `other-${user}` };
      expect(Array.from(decideAll(flat, who), (number) => flat.decisions[number])).toEqual(
        evaluateAll(compiled, who, undefined, undefined, false),
      );
    }
  },
);

it('does not depend on the order of flags, variants, fields or attributes', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, reversed(item)]),
    );
  };
  const mirrored = (given: Snapshot): Snapshot => ({
    ...given,
    flags: given.flags
      .map((each) => ('document' in each ? each : { ...each, variants: each.variants.toReversed() }))
      .reverse(),
  });
  fc.assert(
    fc.property(snapshot(), context(), (given, who) => {
      const other = parseSnapshot(reversed(serializeSnapshot(mirrored(given))));
      if (!other.ok) throw new Error(JSON.stringify(other.problems));
      expect(other.problems).toEqual([]);
      expect(evaluateAll(compile(other.snapshot, { patterns }), reversed(who) as Context).reverse()).toEqual(
        evaluateAll(compile(given, { patterns }), who),
      );
    }),
    attempts,
  );
});

it('never throws, for any string as a key and any bag as a context, and always has a sentence', () => {
  fc.assert(
    fc.property(snapshot(), anyText(), context(), (given, key, who) => {
      const compiled = compile(given, { patterns });
      for (const decision of [evaluate(compiled, key, who), ...evaluateAll(compiled, who)]) {
        expect(reasonSentence(decision, given.environmentKey)).not.toBe('');
      }
    }),
    attempts,
  );
});

it('serves what belongs together: a variant of the flag with its value, or neither', () => {
  fc.assert(
    fc.property(snapshot(), context(), (given, who) => {
      const compiled = compile(given, { patterns });
      for (const decision of evaluateAll(compiled, who)) {
        if (compiled.unreadable.includes(decision.flagKey)) continue;
        const flag = given.flags.find(({ key }) => key === decision.flagKey);
        if (flag === undefined || 'document' in flag) throw new Error('not a flag of the snapshot');
        const variant = flag.variants.find(({ key }) => key === decision.variant);
        expect([decision.variant, decision.value]).toEqual([variant?.key, variant?.value]);
        expect([decision.version, decision.valueType]).toEqual([flag.version, flag.valueType]);
      }
    }),
    attempts,
  );
});

it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', ''])(
  'does not know a flag %j it was not given',
  (key) => {
    expect(evaluate(compiledFrom(), key, {})).toMatchObject({
      flagKey: key,
      reason: 'ERROR',
      errorCode: 'FLAG_NOT_FOUND',
    });
  },
);

it.each<[string, Context]>([
  ['nothing', {}],
  ['nothing, and no prototype', Object.create(null) as Context],
  ['an empty string', { targetingKey: '' }],
  ['null', { targetingKey: null }],
  ['true', { targetingKey: true }],
  ['a list', { targetingKey: ['alice'] }],
  ['an object that prints as text', { targetingKey: { toString: 'alice' } }],
  ['NaN', { targetingKey: NaN }],
  ['infinity', { targetingKey: Infinity }],
  ['an inherited key', Object.create({ targetingKey: 'alice' }) as Context],
])('is not in a rollout, not even of 100 %%, with %s as targeting key', (_, who) => {
  const decision = evaluate(rolled(10_000), 'f', who);
  expect(decision).toMatchObject({ value: false, variant: 'off', reason: 'SPLIT', errorCode: undefined });
  expect(decision.placement).toMatchObject({ bucketBy: 'targetingKey', bucket: undefined });
});

it.each(['constructor', '__proto__', 'toString'])(
  'takes %s for an attribute only when the context has its own',
  (name) => {
    const compiled = rolled(10_000, { bucket_by: name });
    expect(evaluate(compiled, 'f', { targetingKey: 'alice' }).placement?.bucket).toBeUndefined();
    const own = JSON.parse(`{"${name}":"alice"}`) as Context;
    expect(evaluate(compiled, 'f', own).placement?.bucket).toBe(bucket('alice', 'f'));
  },
);

it.each([
  [42, '42'],
  [-0, '0'],
  [0.1, '0.1'],
  [1e21, '1e+21'],
  [9_007_199_254_740_991, '9007199254740991'],
])('takes the number %d and its shortest decimal %j for the same unit', (number, text) => {
  const compiled = rolled(5_000);
  expect(evaluate(compiled, 'f', { targetingKey: number })).toEqual(
    evaluate(compiled, 'f', { targetingKey: text }),
  );
  expect(evaluate(compiled, 'f', { targetingKey: number }).placement?.bucket).toBe(bucket(text, 'f'));
});

it.each([0, 1, 2_500, 9_999, 10_000])(
  'compares the bucket with a coverage of %i, and always tells it',
  (coverage) => {
    const compiled = rolled(coverage);
    for (let index = 0; index < 2_000; index += 1) {
      const unit = `user-${index}`;
      const expected = bucket(unit, 'f');
      const decision = evaluate(compiled, 'f', { targetingKey: unit });
      expect(decision.value).toBe(expected < coverage);
      expect(decision.placement?.bucket).toBe(expected);
    }
  },
);

it('gives a split the variant whose range holds the second bucket, over many ranges', () => {
  const ranges = Array.from({ length: 50 }, (_, index) => ({
    variant: index % 3 === 0 ? 'on' : 'off',
    from: index * 200,
    to: (index + 1) * 200,
  }));
  const compiled = rolled(8_000, { ranges });
  for (let index = 0; index < 5_000; index += 1) {
    const unit = `user-${index}`;
    const decision = evaluate(compiled, 'f', { targetingKey: unit });
    if (bucket(unit, 'f') >= 8_000) {
      expect(decision).toMatchObject({
        variant: 'off',
        placement: { isSplit: true, variantBucket: undefined },
      });
    } else {
      const second = bucket(unit, 'f:variant');
      expect(decision.variant).toBe(ranges[Math.floor(second / 200)]!.variant);
      expect(decision.placement).toMatchObject({
        variantBucket: second,
        variantShare: decision.variant === 'on' ? 3_400 : 6_600,
      });
    }
  }
});

it('has no value for those it leaves out when there is no off variant', () => {
  const off = { off_variant: null };
  const left = { value: undefined, variant: undefined, errorCode: undefined };
  const compiled = compiledFrom(
    flagWire('disabled', { ...off, is_enabled: false }),
    flagWire('outside', { ...off, default_serve: rolloutWire('s', 0) }),
  );
  expect(evaluate(compiled, 'disabled', {})).toMatchObject({ ...left, reason: 'DISABLED' });
  expect(evaluate(compiled, 'outside', { targetingKey: 'alice' })).toMatchObject({
    ...left,
    reason: 'SPLIT',
  });
  expect(evaluate(compiled, 'outside', {})).toMatchObject({ ...left, reason: 'SPLIT' });
});

it('shares and freezes an answer that is the same for everybody', () => {
  const compiled = compiledFrom(flagWire('f'));
  const decision = evaluate(compiled, 'f', { targetingKey: 'alice' });
  expect(evaluate(compiled, 'f', { targetingKey: 'bob' })).toBe(decision);
  expect(Object.isFrozen(decision)).toBe(true);
});

it('asks a clock when a condition wants the time, once, and otherwise never', () => {
  const timed = (at: number) => conditionWire('now', 'equals', [at]);
  const rules = [ruleWire('r', [timed(7), timed(7)])];
  const compiled = compiledFrom(
    flagWire('timed', { rules, default_serve: { variant: 'off' } }),
    flagWire('rolled', { default_serve: rolloutWire('s', 5_000) }),
    flagWire('plain'),
  );
  let asked = 0;
  const clock = () => 6 + (asked += 1);
  expect(evaluate(compiled, 'plain', { targetingKey: 'a' }, clock).value).toBe(true);
  evaluate(compiled, 'rolled', { targetingKey: 'a' }, clock);
  evaluate(compiled, 'timed', { now: 5 }, clock);
  expect(asked).toBe(0);
  expect(evaluate(compiled, 'timed', {}, clock).value).toBe(true);
  expect(asked).toBe(1);
});
