/** The visible cases of Unleash's client specification, read into our model by an adapter of the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { compile, evaluate, parseSnapshot } from '../../src/core/index.js';
import { patterns } from '../support/builders.js';
import { contextFrom, isShared, rulesetFrom, type Specification } from './unleash-adapter.js';

const folder = 'test/conformance/unleash-client-specification';

/** Where we differ, and why. The value is right for a caller whose default is false; the answer says more than theirs. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'F9.withMissingSegment should force evaluation to false':
    'A segment that is missing is a mistake, and makes the flag answer ERROR and its caller’s default; they answer false without a word.',
};

/** Variants (08, part of 12 and 15) and shares between 0 and 100 %: their buckets are murmur3(salt:unit) % 100 + 1, ours murmur3(unit:salt) % 10 000. */
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .flatMap((file) => {
    const specification = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as Specification;
    const parsed = parseSnapshot(rulesetFrom(specification));
    if (!parsed.ok || parsed.problems.length > 0)
      throw new Error(`${file}: ${JSON.stringify(parsed.problems)}`);
    const compiled = compile(parsed.snapshot, { patterns });
    const byHash = new Set(specification.state.features.filter(isShared).map(({ name }) => name));
    return (specification.tests ?? [])
      .filter(({ toggleName }) => !byHash.has(toggleName))
      .map((test) => ({ ...test, file, compiled }));
  });

it.each(cases)('$file: $description', ({ description, toggleName, context, expectedResult, compiled }) => {
  const decision = evaluate(compiled, toggleName, contextFrom(context));
  expect(decision.value ?? false).toBe(expectedResult);
  const isMistake = decision.reason === 'ERROR' && decision.errorCode !== 'FLAG_NOT_FOUND';
  expect(isMistake).toBe(description in DIFFERENT);
});

it('has run all constraints and segments there are', () => {
  const run = (prefix: string) => cases.filter(({ file }) => file.startsWith(prefix)).length;
  expect([run('09'), run('11'), run('15')]).toEqual([17, 6, 5]);
  expect(
    Object.keys(DIFFERENT).filter((each) => !cases.some(({ description }) => description === each)),
  ).toEqual([]);
});
