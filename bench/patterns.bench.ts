/**
 * Claim: no regular expression holds an evaluation up: known catastrophic patterns, on 10,000 characters each, are through within
 * 50 ms. JavaScript's own engine is asked the same, with a limit of time, to show that the patterns deserve their name.
 */
import { createContext, Script } from 'node:vm';
import { compile, type CompiledSnapshot, evaluate, MAX_MATCHED_LENGTH } from '../src/core/index.js';
import { patterns } from '../src/platform/patterns/pattern-engine.js';
import { CATASTROPHIC } from './catastrophic-patterns.js';
import { duration, judge, printMachine } from './harness.js';
import { booleanFlag, conditionOf, snapshotOf } from './snapshots.js';

const LENGTH = 10_000;
const RUNS = 5;
const LIMIT_MS = 50;
/** As long as JavaScript's engine is waited for. */
const PATIENCE_MS = 250;

function textOf(repeated: string, end: string, length: number): string {
  return repeated.repeat(length).slice(0, length - end.length) + end;
}

function compiledWith(pattern: string): CompiledSnapshot {
  const conditions = { all: [conditionOf('text', 'matches', [pattern])] };
  const flag = booleanFlag('f', { rules: [{ id: 'r', conditions, serve: { variant: 'on' } }] });
  return compile(snapshotOf([flag]), { patterns });
}

/** CPU milliseconds; the slowest of a few runs, the first of which finds the engine cold. */
function slowestOf(run: () => unknown): number {
  let slowest = 0;
  for (let at = 0; at < RUNS; at += 1) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    slowest = Math.max(slowest, (user + system) / 1_000);
  }
  return slowest;
}

/** Wall milliseconds of JavaScript's own engine; `undefined` when it was not through in time. */
function ownEngine(pattern: string, text: string): number | undefined {
  const script = new Script('new RegExp(pattern).test(text)');
  const before = process.hrtime.bigint();
  try {
    script.runInContext(createContext({ pattern, text }), { timeout: PATIENCE_MS });
    return Number(process.hrtime.bigint() - before) / 1e6;
  } catch {
    return undefined;
  }
}

printMachine();
const figures = CATASTROPHIC.map(([pattern, repeated, end]) => {
  const text = textOf(repeated, end, LENGTH);
  const find = patterns(pattern, false);
  const compiled = compiledWith(pattern);
  const short = textOf(repeated, end, MAX_MATCHED_LENGTH);
  // None of the texts matches, and that is what takes a backtracking engine so long to find out.
  if (find(text) || evaluate(compiled, 'f', { text: short }).value !== false) {
    console.log(`  WRONG ANSWER: ${pattern} is found`);
    process.exitCode = 1;
  }
  return {
    pattern,
    engine: slowestOf(() => find(text)),
    evaluated: slowestOf(() => evaluate(compiled, 'f', { text: short })),
    refused: slowestOf(() => evaluate(compiled, 'f', { text })),
    own: ownEngine(pattern, text),
  };
});

const milliseconds = (value: number): string => duration(value * 1e6);
console.log(
  `\n${figures.length} catastrophic patterns, a text of ${LENGTH} characters each: CPU, the slowest of ${RUNS} runs`,
);
for (const { pattern, engine } of [...figures].sort((a, b) => b.engine - a.engine).slice(0, 5)) {
  console.log(`  ${milliseconds(engine).padStart(9)}  ${pattern}`);
}
const slowest = (of: (figure: (typeof figures)[number]) => number): number => Math.max(...figures.map(of));
const told = (what: string, value: number): void => {
  console.log(`  ${what}: ${milliseconds(value)} ${judge(value, LIMIT_MS, ' ms')}`);
};
told(
  'slowest, the engine alone',
  slowest(({ engine }) => engine),
);
told(
  `slowest, evaluate with ${MAX_MATCHED_LENGTH} characters, the most it passes on`,
  slowest(({ evaluated }) => evaluated),
);
told(
  `slowest, evaluate with ${LENGTH} characters`,
  slowest(({ refused }) => refused),
);
const stuck = figures.filter(({ own }) => own === undefined).length;
const slow = figures.filter(({ own }) => own !== undefined && own > LIMIT_MS).length;
console.log(
  `  JavaScript's own engine: ${stuck} not through within ${PATIENCE_MS} ms, ${slow} more over ${LIMIT_MS} ms`,
);
