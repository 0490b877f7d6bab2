import { useEffect, useState } from 'preact/hooks';
import { listSegments } from '../api/segments.js';
import { attributesIn } from '../state/conditions.js';

/** What conditions can name in an environment: its segments, and the attributes that those speak of. */
export interface Nameable {
  readonly segments: readonly string[];
  readonly attributes: readonly string[];
}

const MOST = 1000;

/** Nothing can be named until the answer is here, and everything can be typed. */
export function useSegments(environment: string): Nameable {
  const [found, setFound] = useState<Nameable>({ segments: [], attributes: [] });
  useEffect(() => {
    listSegments({ environment_key: environment, skip: 0, limit: MOST }).then(
      ({ items }) =>
        setFound({
          segments: items.map(({ key }) => key),
          attributes: items.flatMap(({ conditions }) => (conditions ? attributesIn(conditions) : [])),
        }),
      () => undefined,
    );
  }, [environment]);
  return found;
}
