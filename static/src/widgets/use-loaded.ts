import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem } from '../api/problem.js';
import { missed } from '../state/live.js';

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly reload: () => void;
  readonly set: (value: T) => void;
}

/** Reads something when `key` changes, and again on request. An answer that was overtaken is dropped; what was shown stays until then. */
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: unknown; isLoading: boolean }>({
    key,
    isLoading: true,
  });
  const asked = useRef(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback((): void => {
    const turn = (asked.current += 1);
    setState((before) => ({ ...before, isLoading: true }));
    latest.current().then(
      (value) => turn === asked.current && setState({ key, value, isLoading: false }),
      (error: unknown) => {
        if (turn !== asked.current) return;
        setState((before) => ({ ...before, key, error, isLoading: false }));
        if (error instanceof ApiProblem && error.isOutage) missed();
      },
    );
  }, [key]);
  useEffect(() => {
    setState((before) => (before.key === key ? before : { key, isLoading: true }));
    reload();
    return () => void (asked.current += 1);
  }, [key, reload]);
  const isCurrent = state.key === key;
  return {
    value: isCurrent ? state.value : undefined,
    error: isCurrent ? state.error : undefined,
    isLoading: !isCurrent || state.isLoading,
    reload,
    set: (value) => {
      asked.current += 1;
      setState({ key, value, isLoading: false });
    },
  };
}
