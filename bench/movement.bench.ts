/**
 * Claim: a change of weights moves the fewest users there can be, and none between variants whose shares both grow, both shrink or
 * stay. Others lay the shares side by side in the order of the list, from 0 on; the same changes and the same hash show what
 * that moves.
 */
import {
  allocate,
  type AllocationRange,
  BUCKETS,
  compile,
  type CompiledSnapshot,
  evaluate,
} from '../src/core/index.js';
import { printMachine } from './harness.js';
import { snapshotOf } from './snapshots.js';

const USERS = 100_000;
const users = Array.from({ length: USERS }, (_, index) => ({ targetingKey: `user-${index * 7_919}` }));

/** Percent by variant, in the order of the list. */
type Shares = Readonly<Record<string, number>>;

const CHANGES: readonly [what: string, before: Shares, after: Shares][] = [
  ['a third variant', { a: 50, b: 50 }, { a: 40, b: 40, c: 20 }],
  ['one grows', { a: 50, b: 50 }, { a: 60, b: 40 }],
  ['a careful start is widened', { a: 90, b: 10 }, { a: 50, b: 50 }],
  ['the middle one grows', { a: 25, b: 50, c: 25 }, { a: 20, b: 60, c: 20 }],
  ['the first one grows', { a: 25, b: 25, c: 25, d: 25 }, { a: 40, b: 20, c: 20, d: 20 }],
  ['the first one goes', { a: 20, b: 40, c: 40 }, { b: 50, c: 50 }],
  ['a fourth comes first', { a: 40, b: 30, c: 30 }, { d: 10, a: 35, b: 25, c: 30 }],
  ['the list is reordered', { a: 50, b: 30, c: 20 }, { c: 20, a: 50, b: 30 }],
  [
    'one of eight doubles',
    { a: 12, b: 12, c: 12, d: 12, e: 13, f: 13, g: 13, h: 13 },
    { a: 24, b: 11, c: 11, d: 10, e: 11, f: 11, g: 11, h: 11 },
  ],
];

const basisPoints = (shares: Shares) =>
  Object.entries(shares).map(([variant, percent]) => ({ variant, basisPoints: percent * 100 }));

function sideBySide(shares: Shares): AllocationRange[] {
  let to = 0;
  return basisPoints(shares).map(({ variant, basisPoints: share }) => ({
    variant,
    from: to,
    to: (to += share),
  }));
}

function compiledWith(ranges: readonly AllocationRange[]): CompiledSnapshot {
  const variants = [...new Set(ranges.map(({ variant }) => variant))].map((key) => ({ key, value: key }));
  const rollout = {
    bucket_by: 'targetingKey',
    salt: 'new-checkout',
    hash_version: 'murmur3',
    coverage: BUCKETS,
    ranges,
  };
  return compile(
    snapshotOf([
      {
        key: 'new-checkout',
        value_type: 'string',
        variants,
        is_enabled: true,
        is_archived: false,
        off_variant: null,
        default_serve: { rollout },
        version: 1,
      },
    ]),
  );
}

/** Who gets another variant: users asked before and after, and basis points of the wheel. */
function moved(before: readonly AllocationRange[], after: readonly AllocationRange[]) {
  const [first, second] = [compiledWith(before), compiledWith(after)];
  const variantOf = (compiled: CompiledSnapshot, user: (typeof users)[number]) =>
    evaluate(compiled, 'new-checkout', user).variant;
  const ownerOf = (ranges: readonly AllocationRange[], at: number) =>
    ranges.find(({ from, to }) => from <= at && at < to)?.variant;
  const points = Array.from({ length: BUCKETS }, (_, at) => at);
  return {
    users: users.filter((user) => variantOf(first, user) !== variantOf(second, user)).length,
    basisPoints: points.filter((at) => ownerOf(before, at) !== ownerOf(after, at)).length,
  };
}

/** The sum of the shares gained: whatever somebody gains, somebody has to be moved for. */
function leastMoved(before: Shares, after: Shares): number {
  return Object.entries(after).reduce(
    (sum, [variant, share]) => sum + Math.max(0, share - (before[variant] ?? 0)),
    0,
  );
}

printMachine();
console.log(`\nShare of ${USERS} users who get another variant\n`);
const row = (...cells: readonly string[]) =>
  `  ${cells.map((cell, index) => (index === 0 ? cell.padEnd(30) : cell.padStart(14))).join('')}`;
console.log(row('', 'least', 'Vexil', 'side by side'));
for (const [what, before, after] of CHANGES) {
  const ranges = allocate(basisPoints(before), []);
  const ours = moved(ranges, allocate(basisPoints(after), ranges));
  const others = moved(sideBySide(before), sideBySide(after));
  const least = leastMoved(before, after);
  const percent = (count: number) => `${((count / USERS) * 100).toFixed(2)} %`;
  console.log(row(what, `${least.toFixed(2)} %`, percent(ours.users), percent(others.users)));
  console.log(row(`${Object.values(before).join('/')} → ${Object.values(after).join('/')}`));
  if (ours.basisPoints !== least * 100) {
    console.log(`  WRONG ANSWER: ${ours.basisPoints} basis points of the wheel change hands`);
    process.exitCode = 1;
  }
}
console.log('\n  The wheel moves exactly the least; of the users asked, as many as happen to be there.');
