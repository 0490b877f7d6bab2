import type { ComponentType, VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { connection } from '../state/live.js';
import { tabStorage } from '../state/storage.js';
import { Failure, Skeleton } from './small.js';

/**
 * A screen, or a part of one, that is fetched when it is first shown. After a deploy its file may be gone: then the page is loaded anew, once.
 * @param placeholder what stands there until then
 */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  placeholder: VNode | null = <Skeleton rows={6} />,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [Screen, setScreen] = useState<ComponentType<Props> | undefined>(() => loaded);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (Screen) return;
      load().then(
        (found) => {
          loaded = found;
          tabStorage.write('reloaded', undefined);
          setScreen(() => found);
        },
        (failure: unknown) => {
          // Where nothing answers, nothing would come of it but an empty page.
          const isAway = connection.peek() === 'reconnecting' || connection.peek() === 'offline';
          if (isAway || tabStorage.read('reloaded') === true) setError(failure);
          else {
            tabStorage.write('reloaded', true);
            location.reload();
          }
        },
      );
    }, [Screen]);
    if (error !== undefined)
      return <Failure error={error} onRetry={() => location.reload()} isWhole={placeholder !== null} />;
    return Screen ? <Screen {...props} /> : placeholder;
  };
}
