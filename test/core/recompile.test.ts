import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  compile,
  compileInParts,
  evaluateAll,
  parseSnapshot,
  recompile,
  serializeSnapshot,
  type Snapshot,
} from '../../src/core/index.js';
import { context, flag, snapshot } from '../support/arbitraries.js';
import { compiledFrom, flagWire, patterns, rulesetWire, type Wire } from '../support/builders.js';

const inOrder = ({ flags, ...more }: Snapshot): Snapshot => ({
  ...more,
  flags: flags.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
});

const needs = (flag: string): Wire => ({ prerequisites: [{ flag_key: flag, variants: ['on'] }] });

it('answers as the whole does, compiled anew, or says that it cannot', () => {
  let [done, refused] = [0, 0];
  const changes = fc.uniqueArray(flag(), { minLength: 1, maxLength: 3, selector: ({ key }) => key });
  fc.assert(
    fc.property(snapshot(), changes, context(), (given, changed, who) => {
      const before = compile(inOrder(given), { patterns });
      const earlier = evaluateAll(before, who);
      const keys = new Set(changed.map(({ key }) => key));
      const after = inOrder({
        ...given,
        revision: given.revision + 1,
        flags: [...given.flags.filter(({ key }) => !keys.has(key)), ...changed],
      });
      const { flags: documents } = serializeSnapshot({ ...after, flags: changed });
      const compiled = recompile(before, after.revision, documents, { patterns });
      if (compiled === undefined) refused += 1;
      else {
        done += 1;
        const whole = compile(after, { patterns });
        expect(evaluateAll(compiled, who)).toEqual(evaluateAll(whole, who));
        expect([...compiled.clientVisible].sort()).toEqual([...whole.clientVisible].sort());
        expect({ ...compiled, flags: 0, segments: 0, clientVisible: 0 }).toEqual({
          ...whole,
          flags: 0,
          segments: 0,
          clientVisible: 0,
        });
      }
      // What was there may be in use.
      expect(evaluateAll(before, who)).toEqual(earlier);
    }),
    { numRuns: 400 },
  );
  expect([done > 50, refused > 50]).toEqual([true, true]);
});

it('compiles in parts what it compiles as a whole', () => {
  let [done, refused] = [0, 0];
  fc.assert(
    fc.property(snapshot(), context(), fc.integer({ min: 1, max: 3 }), (given, who, size) => {
      const whole = inOrder(given);
      const { segments, flags } = serializeSnapshot(whole);
      const parts = function* () {
        for (let at = 0; at < flags.length; at += size) yield flags.slice(at, at + size);
      };
      const compiled = compileInParts({ ...whole, segments }, parts, { patterns });
      if (compiled === undefined) {
        refused += 1;
        return;
      }
      done += 1;
      const expected = compile(whole, { patterns });
      expect(evaluateAll(compiled, who)).toEqual(evaluateAll(expected, who));
      expect([...compiled.flags.keys()]).toEqual([...expected.flags.keys()]);
      for (const name of ['clientVisible', 'linked'] as const)
        expect([...compiled[name]].sort()).toEqual([...expected[name]].sort());
      expect([compiled.revision, compiled.environmentKey]).toEqual([whole.revision, whole.environmentKey]);
    }),
    { numRuns: 400 },
  );
  expect([done > 50, refused > 0]).toEqual([true, true]);
});

it.each([
  ['that has prerequisites', flagWire('c', needs('a'))],
  ['that had some', flagWire('b')],
  ['that is one', flagWire('a')],
  ['that was named as one before it was there', flagWire('missing')],
  ['that cannot be read', flagWire('c', { variants: [] })],
])('does not take a flag %s by itself', (_what, document) => {
  const before = compiledFrom(
    flagWire('a'),
    flagWire('b', { is_enabled: false, ...needs('a') }),
    flagWire('d', needs('missing')),
    flagWire('e'),
  );
  expect(recompile(before, 2, [flagWire('e')], { patterns })).toBeDefined();
  expect(recompile(before, 2, [document], { patterns })).toBeUndefined();
});

it('does not take a flag beside one that cannot be read', () => {
  const parsed = parseSnapshot(rulesetWire([flagWire('a'), flagWire('b', { variants: [] })]));
  if (!parsed.ok) throw new Error('not a ruleset');
  const before = compile(parsed.snapshot, { patterns });
  expect(recompile(before, 2, [flagWire('a')], { patterns })).toBeUndefined();
});
