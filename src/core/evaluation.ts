import type { CompiledFlag, Evaluation } from './compiled.js';
import type { Context } from './model.js';

let evaluations = 0;

export function begin(
  flags: ReadonlyMap<string, CompiledFlag>,
  context: Context,
  now: number | undefined,
  isTraced: boolean,
): Evaluation {
  evaluations += 1;
  return { id: evaluations, context, now, flags, isTraced, detail: undefined };
}
