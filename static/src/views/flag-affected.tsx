import type { Flag } from '../api/flags.js';
import { readFlagUsage } from '../api/usage.js';
import { affectedWords } from '../state/usage.js';
import { useLoaded } from '../widgets/use-loaded.js';

/**
 * How many evaluations an hour it is about, by what the service answered in the last one.
 * @param share per cent of those who come as far as the rollout; all of them without it
 */
export function FlagAffected({ flag, share }: { flag: Flag; share?: number | undefined }) {
  const { value } = useLoaded(`${flag.key} ${flag.environment_key}`, () =>
    readFlagUsage(flag.key, flag.environment_key, 'hour'),
  );
  const decidesBefore =
    flag.prerequisites?.length !== 0 || flag.targets?.length !== 0 || flag.rules?.length !== 0;
  const words = value && affectedWords(value.total, share, decidesBefore);
  // It keeps its place, so that nothing jumps when it comes.
  return <p class="hint affected">{words && `${words}, judging by the last one.`}</p>;
}
