/** Reading ruleset after ruleset with a memory, held against reading each by itself. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  adoptEqual,
  changedFlags,
  compile,
  type Context,
  evaluateAll,
  explain,
  parseSnapshot,
  type Ruleset,
  rulesetReader,
  serializeSnapshot,
} from '../../src/core/index.js';
import { context, snapshot } from '../support/arbitraries.js';
import { flagWire, ruleWire, segmentWire } from '../support/builders.js';

type Wire = Readonly<Record<string, unknown>>;

const rulesetOf = (flags: readonly Wire[], segments: readonly Wire[] = [], revision = 1) =>
  ({ spec_version: 1, environment_key: 'production', revision, flags, segments }) as unknown as Ruleset;

function compiledAlone(ruleset: Ruleset) {
  const result = parseSnapshot(JSON.parse(JSON.stringify(ruleset)));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return { compiled: compile(result.snapshot), problems: result.problems };
}

/** Few keys, so that flags and segments of one ruleset are in the next, the same or others under the same keys. */
const history = (): fc.Arbitrary<Ruleset[]> =>
  fc
    .array(
      fc.tuple(snapshot(), fc.infiniteStream(fc.constantFrom('old', 'old', 'new', 'gone')), fc.boolean()),
      { minLength: 2, maxLength: 6 },
    )
    .map((steps) => {
      let before: Ruleset = rulesetOf([]);
      return steps.map(([next, choices, isWhole], index) => {
        const merged = (old: readonly unknown[], fresh: readonly unknown[]): unknown[] => {
          const byKey = new Map(old.map((thing) => [(thing as { key: string }).key, thing]));
          for (const key of [...byKey.keys()]) if (choices.next().value === 'gone') byKey.delete(key);
          for (const thing of fresh) {
            const { key } = thing as { key: string };
            if (!byKey.has(key) || choices.next().value === 'new') byKey.set(key, thing);
          }
          return [...byKey.values()];
        };
        const fresh = serializeSnapshot(next);
        const ruleset = rulesetOf(
          merged(before.flags, fresh.flags) as Wire[],
          merged(before.segments, fresh.segments) as Wire[],
          index,
        );
        // As it comes anew over the wire, or as changes leave it.
        before = isWhole ? adoptEqual(JSON.parse(JSON.stringify(ruleset)) as Ruleset, before) : ruleset;
        return before;
      });
    });

describe('a reader with a memory', () => {
  it('answers, with every step and problem, as if each ruleset were read alone', () => {
    fc.assert(
      fc.property(history(), fc.array(context(), { minLength: 1, maxLength: 3 }), (rulesets, contexts) => {
        const read = rulesetReader();
        for (const ruleset of rulesets) {
          const mine = read(ruleset);
          if (!mine.ok) throw new Error(JSON.stringify(mine.problems));
          const alone = compiledAlone(ruleset);
          expect(mine.compiled.unreadable).toEqual(alone.compiled.unreadable);
          expect(mine.compiled.clientVisible).toEqual(alone.compiled.clientVisible);
          expect(mine.problems).toEqual([...alone.problems, ...alone.compiled.problems]);
          for (const each of contexts) {
            expect(evaluateAll(mine.compiled, each, 5)).toEqual(evaluateAll(alone.compiled, each, 5));
            for (const key of alone.compiled.flags.keys())
              expect(explain(mine.compiled, key, each, 5)).toEqual(explain(alone.compiled, key, each, 5));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names every flag whose answer to anybody became another', () => {
    fc.assert(
      fc.property(history(), fc.array(context(), { minLength: 1, maxLength: 5 }), (rulesets, contexts) => {
        const read = rulesetReader();
        let before: ReturnType<typeof compiledAlone>['compiled'] | undefined;
        for (const ruleset of rulesets) {
          const after = read(ruleset);
          if (!after.ok) throw new Error(JSON.stringify(after.problems));
          const changed = new Set(changedFlags(before, after.compiled));
          for (const each of before ? contexts : []) {
            const answers = new Map(evaluateAll(before!, each, 5).map((each) => [each.flagKey, each]));
            for (const answer of evaluateAll(after.compiled, each, 5)) {
              if (!changed.has(answer.flagKey)) expect(answer).toEqual(answers.get(answer.flagKey));
            }
          }
          before = after.compiled;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('makes anew only what is different', () => {
    const flags = ['a', 'b', 'c'].map((key) => flagWire(key));
    const read = rulesetReader();
    const first = read(rulesetOf(flags));
    const second = read(rulesetOf([flags[0]!, flagWire('b', { is_enabled: false }), flags[2]!]));
    if (!first.ok || !second.ok) throw new Error('they can be read');
    expect(second.compiled.flags.get('a')).toBe(first.compiled.flags.get('a'));
    expect(second.compiled.flags.get('c')).toBe(first.compiled.flags.get('c'));
    expect(changedFlags(first.compiled, second.compiled)).toEqual(['b']);
  });
});

describe('a flag that leans on something', () => {
  const ask = (ruleset: Ruleset, read: ReturnType<typeof rulesetReader>, who: Context) => {
    const result = read(ruleset);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return { compiled: result.compiled, answers: evaluateAll(result.compiled, who) };
  };

  it('is made anew when a segment below its segment changes', () => {
    const inSegment = (key: string) => ({ operator: 'in_segment', values: [key] });
    const rules = [ruleWire('r', [inSegment('outer')])];
    const flag = flagWire('a', { rules, default_serve: { variant: 'off' } });
    const outer = segmentWire('outer', { conditions: { all: [inSegment('inner')] } });
    const inner = (included: string[]) => segmentWire('inner', { included });
    const read = rulesetReader();
    const alice = { targetingKey: 'alice' };
    const before = ask(rulesetOf([flag], [outer, inner([])]), read, alice);
    const after = ask(rulesetOf([flag], [outer, inner(['alice'])]), read, alice);
    expect(before.answers[0]).not.toEqual(after.answers[0]);
    expect(changedFlags(before.compiled, after.compiled)).toEqual(['a']);
  });

  it('is named as changed when a flag that it asks first changes, at whatever remove', () => {
    const first = flagWire('first');
    const other = flagWire('other');
    const chain = (key: string, on: string) =>
      flagWire(key, { prerequisites: [{ flag_key: on, variants: ['on'] }] });
    const [second, third] = [chain('second', 'first'), chain('third', 'second')];
    const read = rulesetReader();
    const before = ask(rulesetOf([first, second, third, other]), read, {});
    const off = flagWire('first', { is_enabled: false });
    const after = ask(rulesetOf([off, second, third, other]), read, {});
    expect(changedFlags(before.compiled, after.compiled).sort()).toEqual(['first', 'second', 'third']);
  });

  it('answers an error for as long as its segment is missing', () => {
    const rules = [ruleWire('r', [{ operator: 'in_segment', values: ['late'] }])];
    const flag = flagWire('a', { rules, default_serve: { variant: 'off' } });
    const read = rulesetReader();
    const late = segmentWire('late', { included: ['alice'] });
    const answers = [[], [late], []].map(
      (segments) => ask(rulesetOf([flag], segments), read, { targetingKey: 'alice' }).answers[0]!,
    );
    expect(answers.map(({ errorCode, value }) => errorCode ?? value)).toEqual([
      'PARSE_ERROR',
      true,
      'PARSE_ERROR',
    ]);
  });
});
