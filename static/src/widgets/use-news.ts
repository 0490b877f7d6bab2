import { useEffect, useRef } from 'preact/hooks';
import type { Activity } from '../api/activity.js';
import { onActivity } from '../state/live.js';

const TOGETHER_MS = 80;

/** Calls back when something of these kinds was changed by anybody, and after a gap. Many at once are one. */
export function useNews(
  types: readonly Activity['entity_type'][],
  onNews: (activity?: Activity) => void,
): void {
  const latest = useRef(onNews);
  latest.current = onNews;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = (activity?: Activity): void => {
      clearTimeout(timer);
      timer = setTimeout(() => latest.current(activity), TOGETHER_MS);
    };
    const stop = onActivity({
      onChange: (activity) => {
        if (types.includes(activity.entity_type)) tell(activity);
      },
      onResync: () => tell(),
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [types.join()]);
}
