import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  compile,
  type Context,
  evaluate,
  evaluateAll,
  explain,
  lint,
  parseSnapshot,
  reasonSentence,
  serializeSnapshot,
} from '../../src/core/index.js';
import { context, snapshot } from '../support/arbitraries.js';
import { flagWire, patterns, rulesetWire, ruleWire, segmentWire } from '../support/builders.js';

/** Pairs of a snapshot and a context; `FUZZ_PAIRS=100000` for a thorough run. */
const PAIRS = Number(process.env['FUZZ_PAIRS'] ?? 2_000);

it(
  `answers ${PAIRS} random snapshots and contexts the same twice, and never throws`,
  () => {
    fc.assert(
      fc.property(snapshot(), context(), fc.option(fc.double(), { nil: undefined }), (given, who, now) => {
        const compiled = compile(given, { patterns });
        const first = JSON.stringify(evaluateAll(compiled, who, now));
        for (const { key } of given.flags) {
          reasonSentence(evaluate(compiled, key, who, now), given.environmentKey);
          explain(compiled, key, who, now);
        }
        for (const flag of given.flags) if (!('document' in flag)) lint(flag, given);
        const again = parseSnapshot(JSON.parse(JSON.stringify(serializeSnapshot(given))));
        if (!again.ok) throw new Error(JSON.stringify(again.problems));
        expect(JSON.stringify(evaluateAll(compile(again.snapshot, { patterns }), who, now))).toBe(first);
      }),
      { numRuns: PAIRS },
    );
  },
  PAIRS * 20 + 30_000,
);

it('never throws on rules, segments and prerequisites of any shape, and harms no other flag', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
  });
  fc.assert(
    fc.property(anything, anything, anything, anything, (one, two, three, four) => {
      const result = parseSnapshot(
        rulesetWire(
          [
            flagWire('a', { rules: one, targets: two, prerequisites: three }),
            flagWire('b', {
              rules: [ruleWire('r', [{ attribute: one, operator: two, values: three, negate: four }])],
            }),
            flagWire('c', { rules: [{ id: one, conditions: two, serve: three }] }),
            flagWire('d', {
              targets: [{ variant: one, keys: two }],
              prerequisites: [{ flag_key: three, variants: four }],
            }),
            flagWire('fine'),
          ],
          { segments: [segmentWire('s', { included: one, excluded: two, conditions: three }), four] },
        ),
      );
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      const compiled = compile(result.snapshot, { patterns });
      for (const key of ['a', 'b', 'c', 'd']) explain(compiled, key, { targetingKey: 'alice' });
      expect(evaluate(compiled, 'fine', {}).value).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('survives an engine that fails while it matches', () => {
  const document = rulesetWire([
    flagWire('f', { rules: [ruleWire('r', [{ attribute: 'a', operator: 'matches', values: ['x'] }])] }),
  ]);
  const parsed = parseSnapshot(document);
  if (!parsed.ok) throw new Error('it can be read');
  const compiled = compile(parsed.snapshot, {
    patterns: () => () => {
      throw new Error('broken');
    },
  });
  const { decision, trace } = explain(compiled, 'f', { a: 'x' });
  expect(decision.reason).toBe('DEFAULT');
  expect(JSON.stringify(trace)).toContain('the pattern engine failed');
});

it('answers ERROR for patterns where there is no engine', () => {
  const rule = ruleWire('r', [{ attribute: 'a', operator: 'matches', values: ['x'] }]);
  const parsed = parseSnapshot(rulesetWire([flagWire('f', { rules: [rule] }), flagWire('fine')]));
  if (!parsed.ok) throw new Error('it can be read');
  const compiled = compile(parsed.snapshot);
  expect(evaluate(compiled, 'f', {})).toMatchObject({ reason: 'ERROR', errorCode: 'PARSE_ERROR' });
  expect(evaluate(compiled, 'fine', {}).value).toBe(true);
  expect(compiled.unreadable).toEqual(['f']);
  expect(compiled.problems.map(({ path }) => path)).toEqual(['flags[0].rules[0].conditions.all[0].operator']);
});

it('gives the time of the host to conditions on now, unless the context has its own', () => {
  const rule = ruleWire('r', [{ attribute: 'now', operator: 'after', values: ['2026-06-01T00:00:00Z'] }]);
  const parsed = parseSnapshot(
    rulesetWire([flagWire('f', { rules: [rule], default_serve: { variant: 'off' } })]),
  );
  if (!parsed.ok) throw new Error('it can be read');
  const compiled = compile(parsed.snapshot);
  const isOn = (who: Context, now?: string) =>
    evaluate(compiled, 'f', who, now ? Date.parse(now) : undefined).value;
  expect(isOn({})).toBe(false);
  expect(isOn({}, '2026-05-31T23:59:59Z')).toBe(false);
  expect(isOn({}, '2026-06-01T00:00:01Z')).toBe(true);
  expect(isOn({ now: '2026-05-01' }, '2026-06-01T00:00:01Z')).toBe(false);
});

it('compiles and asks targets and segments of 100,000 keys', () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `user-${index}`);
  const parsed = parseSnapshot(
    rulesetWire(
      [
        flagWire('t', { targets: [{ variant: 'off', keys }] }),
        flagWire('s', {
          rules: [ruleWire('r', [{ operator: 'in_segment', values: ['many'] }])],
          default_serve: { variant: 'off' },
        }),
      ],
      { segments: [segmentWire('many', { included: keys })] },
    ),
  );
  if (!parsed.ok) throw new Error('it can be read');
  const compiled = compile(parsed.snapshot);
  expect(evaluate(compiled, 't', { targetingKey: 'user-99999' }).value).toBe(false);
  expect(evaluate(compiled, 't', { targetingKey: 'user-x' }).value).toBe(true);
  expect(evaluate(compiled, 's', { targetingKey: 'user-99999' }).value).toBe(true);
  expect(evaluate(compiled, 's', { targetingKey: 'user-x' }).value).toBe(false);
});
