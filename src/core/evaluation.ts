import type { CompiledFlag, Evaluation, Time } from './compiled.js';
import type { Context } from './model.js';

let evaluations = 0;

export function begin(
  flags: ReadonlyMap<string, CompiledFlag>,
  context: Context,
  now: Time | undefined,
  isTraced: boolean,
): Evaluation {
  evaluations += 1;
  return { id: evaluations, context, now, flags, isTraced, detail: undefined };
}
