import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compile, type Context, evaluate, explain } from '../../src/core/index.js';
import { anyText, context, snapshot } from '../support/arbitraries.js';
import {
  compiledWith,
  conditionWire,
  flagWire,
  patterns,
  rolloutWire,
  ruleWire,
  segmentWire,
} from '../support/builders.js';

it('decides as evaluate does, in plain JSON, for any snapshot, key, context and time', () => {
  fc.assert(
    fc.property(
      snapshot(),
      context(),
      anyText(),
      fc.option(fc.integer(), { nil: undefined }),
      (given, who, key, now) => {
        const compiled = compile(given, { patterns });
        for (const flagKey of [...given.flags.map((flag) => flag.key), key]) {
          const { decision, trace } = explain(compiled, flagKey, who, now);
          expect(decision).toEqual(evaluate(compiled, flagKey, who, now));
          expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
          expect(trace.outcome).toEqual({
            reason: decision.reason,
            error: decision.errorCode ?? null,
            variant: decision.variant ?? null,
          });
        }
      },
    ),
    { numRuns: 500 },
  );
});

const compiled = compiledWith(
  [
    segmentWire('staff', {
      included: ['alice'],
      conditions: { all: [conditionWire('mail', 'ends_with', ['@x.org'])] },
    }),
  ],
  flagWire('base', { rules: [ruleWire('members', [{ operator: 'in_segment', values: ['staff'] }])] }),
  flagWire('f', {
    prerequisites: [{ flag_key: 'base', variants: ['on'] }],
    targets: [{ variant: 'on', keys: ['zoe'] }],
    rules: [
      ruleWire(
        'adults',
        [conditionWire('age', 'gte', [18]), conditionWire('country', 'in', ['NL'], { negate: true })],
        {
          name: 'Grown-ups abroad',
        },
      ),
      ruleWire('share', [{ operator: 'bucket', values: [0, 200], salt: 'new-checkout' }], {
        serve: rolloutWire('new-checkout', 2_500, {
          ranges: [
            { variant: 'on', from: 0, to: 5_000 },
            { variant: 'off', from: 5_000, to: 10_000 },
          ],
        }),
      }),
    ],
  }),
);
const traceOf = (who: Context) => explain(compiled, 'f', who).trace;

it('tells every step that was taken, in order', () => {
  expect(traceOf({ targetingKey: 'alice', age: '18' })).toEqual({
    flag: 'f',
    prerequisites: [
      {
        flag: 'base',
        wanted: ['on'],
        variant: 'on',
        matched: true,
        trace: {
          flag: 'base',
          prerequisites: [],
          target: null,
          rules: [
            {
              rule: 'members',
              name: null,
              matched: true,
              conditions: {
                all: [
                  {
                    attribute: 'targetingKey',
                    operator: 'in_segment',
                    negate: false,
                    actual: 'alice',
                    wanted: ['staff'],
                    count: 1,
                    matched: true,
                    segments: [{ segment: 'staff', unit: 'alice', matched: true, by: 'included' }],
                  },
                ],
                matched: true,
              },
            },
          ],
          serve: { by: 'rule', rule: 'members', variant: 'on', rollout: null },
          outcome: { reason: 'TARGETING_MATCH', error: null, variant: 'on' },
        },
      },
    ],
    target: { unit: 'alice', variant: null, matched: false },
    rules: [
      {
        rule: 'adults',
        name: 'Grown-ups abroad',
        matched: false,
        conditions: {
          all: [
            {
              attribute: 'age',
              operator: 'gte',
              negate: false,
              actual: '18',
              wanted: [18],
              count: 1,
              matched: false,
              note: 'needs a finite number, got a text of 2 characters',
            },
            {
              attribute: 'country',
              operator: 'in',
              negate: true,
              actual: null,
              wanted: ['NL'],
              count: 1,
              matched: true,
              note: 'the attribute is missing',
            },
          ],
          matched: false,
        },
      },
      {
        rule: 'share',
        name: null,
        matched: true,
        conditions: {
          all: [
            {
              attribute: 'targetingKey',
              operator: 'bucket',
              negate: false,
              actual: 'alice',
              wanted: [0, 200],
              count: 2,
              matched: true,
              bucket: 139,
            },
          ],
          matched: true,
        },
      },
    ],
    serve: {
      by: 'rule',
      rule: 'share',
      variant: 'on',
      rollout: {
        attribute: 'targetingKey',
        unit: 'alice',
        bucket: 139,
        from: 0,
        to: 2_500,
        matched: true,
        split: { bucket: 2_824, from: 0, to: 5_000 },
      },
    },
    outcome: { reason: 'SPLIT', error: null, variant: 'on' },
  });
});

it('stops where the prerequisite fails, and tells the conditions of a segment', () => {
  const trace = traceOf({ targetingKey: 'eve', mail: 5 });
  expect(trace).toMatchObject({
    prerequisites: [{ flag: 'base', variant: 'on', matched: true }],
  });
  const members = trace.prerequisites[0]?.trace?.rules[0];
  expect(members).toMatchObject({
    matched: false,
    conditions: {
      all: [
        {
          segments: [
            {
              segment: 'staff',
              matched: false,
              by: 'nothing',
              conditions: { all: [{ note: 'needs a text, got a number' }], matched: false },
            },
          ],
        },
      ],
    },
  });
});

it('keeps values short, and tells how many there are', () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `user-${index}`);
  const long = compiledWith([], flagWire('f', { rules: [ruleWire('r', [conditionWire('id', 'in', keys)])] }));
  const { trace } = explain(long, 'f', { id: 'x'.repeat(60_000) });
  expect(trace.rules[0]?.conditions).toMatchObject({ all: [{ count: 100_000, wanted: keys.slice(0, 20) }] });
  expect(JSON.stringify(trace).length).toBeLessThan(2_000);
});

it('tells once what many flags need, however the prerequisites meet', () => {
  const layers = Array.from({ length: 11 }, (_, depth) =>
    Array.from({ length: 20 }, (__, index) =>
      flagWire(`f-${depth}-${index}`, {
        prerequisites:
          depth === 0
            ? []
            : Array.from({ length: 20 }, (___, each) => ({
                flag_key: `f-${depth - 1}-${each}`,
                variants: ['on'],
              })),
      }),
    ),
  ).flat();
  const wide = compiledWith([], ...layers);
  const started = performance.now();
  expect(evaluate(wide, 'f-10-0', {}).value).toBe(true);
  const { trace } = explain(wide, 'f-10-0', {});
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(JSON.stringify(trace)).toContain('told above');
});
