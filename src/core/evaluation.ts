import type { CompiledFlag, Evaluation, Time } from './compiled.js';
import type { Context } from './model.js';

let evaluations = 0;

export function begin(
  flags: ReadonlyMap<string, CompiledFlag>,
  context: Context,
  now: Time | undefined,
  { isTraced, isPlaced }: Pick<Evaluation, 'isTraced' | 'isPlaced'>,
): Evaluation {
  evaluations += 1;
  return { id: evaluations, context, now, flags, isTraced, isPlaced, detail: undefined };
}
