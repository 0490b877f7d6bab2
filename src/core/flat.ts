import { hashOf, unitOf } from './bucketing.js';
import type { CompiledFlag, CompiledSnapshot, Time } from './compiled.js';
import { decide } from './evaluate.js';
import { begin } from './evaluation.js';
import { digestWith } from './hash.js';
import { BUCKETS, type Context, type Decision, TARGETING_KEY } from './model.js';

/**
 * The flags of a snapshot written one behind the other. To ask thousands of them, each an object that points to others, takes
 * longer for finding them in memory than for deciding (bench/ofrep-bulk).
 */
export interface FlatFlags {
  readonly compiled: CompiledSnapshot;
  /** By number: what flags answer. Grows as flags with targeting answer what they never did before. */
  readonly decisions: readonly Decision[];
  /** How many flags there are. */
  readonly size: number;
}

interface Flat extends FlatFlags {
  readonly decisions: Decision[];
  readonly numbers: Map<Decision, number>;
  /** One for each flag. */
  readonly records: Int32Array;
  /** Those that are asked as they are. */
  readonly others: CompiledFlag[];
  readonly answers: Int32Array;
}

/** What a record begins with. Then comes the number of the decision; */
const SETTLED = 0;
/** the numbers of the decisions without a unit, inside and outside, the coverage, the bytes of the salt, and its words; */
const ROLLOUT = 1;
/** which of `others` it is. */
const OTHER = 2;

/** @param only the keys of the flags that are wanted, where not all are */
export function flatten(compiled: CompiledSnapshot, only?: ReadonlySet<string>): FlatFlags {
  const decisions: Decision[] = [];
  const numbers = new Map<Decision, number>();
  const others: CompiledFlag[] = [];
  const records: number[] = [];
  const number = (decision: Decision): number => numberOf({ decisions, numbers }, decision);
  let size = 0;
  for (const [key, flag] of compiled.flags) {
    if (only !== undefined && !only.has(key)) continue;
    size += 1;
    const rollout = flag.settled === undefined && !flag.targeting ? flag.defaultServe : undefined;
    if (flag.settled !== undefined) records.push(SETTLED, number(flag.settled));
    else if (
      rollout?.fixed === undefined &&
      rollout?.bucketBy === TARGETING_KEY &&
      rollout.variantSalt === undefined &&
      rollout.salt.imported === undefined
    ) {
      const { unplaced, slices, outside, coverage, salt } = rollout;
      records.push(ROLLOUT, number(unplaced), number(slices[0].decision), number(outside), coverage);
      records.push(salt.encoded.bytes, ...salt.encoded.words);
    } else {
      records.push(OTHER, others.length);
      others.push(flag);
    }
  }
  const flat: Flat = {
    compiled,
    decisions,
    numbers,
    size,
    records: Int32Array.from(records),
    others,
    answers: new Int32Array(size),
  };
  return flat;
}

/**
 * Decides every flag for one context.
 * @param flags of `flatten`
 * @param now as for `evaluate`
 * @returns for each flag, in the snapshot's order, where in `decisions` the answer stands that `evaluate` gives who does not ask where
 * a rollout placed the unit; good until the next call
 */
export function decideAll(flags: FlatFlags, context: Context, now?: Time): Int32Array {
  const flat = flags as Flat;
  const { records, others, answers } = flat;
  const evaluation = begin(flat.compiled.flags, context, now, { isTraced: false, isPlaced: false });
  const unit = unitOf(context, TARGETING_KEY);
  // A copy, for flags in between may place other units.
  const state = unit === undefined ? undefined : { ...hashOf(unit) };
  let at = 0;
  for (let flag = 0; flag < answers.length; flag += 1) {
    const first = records[at + 1] as number;
    switch (records[at]) {
      case SETTLED:
        answers[flag] = first;
        at += 2;
        break;
      case ROLLOUT: {
        const bytes = records[at + 5] as number;
        if (state === undefined) answers[flag] = first;
        else {
          const isWithin = digestWith(state, records, at + 6, bytes) % BUCKETS < (records[at + 4] as number);
          answers[flag] = records[isWithin ? at + 2 : at + 3] as number;
        }
        at += 6 + ((bytes + 3) >> 2);
        break;
      }
      default:
        answers[flag] = numberOf(flat, decide(others[first] as CompiledFlag, evaluation));
        at += 2;
    }
  }
  return answers;
}

function numberOf(
  { decisions, numbers }: { decisions: Decision[]; numbers: Map<Decision, number> },
  decision: Decision,
): number {
  const known = numbers.get(decision);
  if (known !== undefined) return known;
  const number = decisions.length;
  decisions.push(decision);
  numbers.set(decision, number);
  return number;
}
