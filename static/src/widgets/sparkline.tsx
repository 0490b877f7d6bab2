import { compact, sparkPath } from '../state/usage.js';
import { plural } from '../state/wording.js';

const HEIGHT = 18;

/** How often something happened, as a line and as a number. It takes its place before it is known. */
export function Sparkline({ usage }: { usage: { total: number; counts: readonly number[] } | undefined }) {
  return (
    <span class="spark" title={usage && plural(usage.total, 'evaluation')}>
      {usage?.total !== 0 && (
        <svg
          viewBox={`0 -1 ${Math.max(1, (usage?.counts.length ?? 2) - 1)} ${HEIGHT + 2}`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          {usage && <path d={sparkPath(usage.counts, HEIGHT)} />}
        </svg>
      )}
      {usage && (
        <span class="muted">
          {usage.total === 0 ? 'none' : compact(usage.total)}
          <span class="hidden"> {usage.total === 1 ? 'evaluation' : 'evaluations'} in 24 hours</span>
        </span>
      )}
    </span>
  );
}
