import { useEffect, useState } from 'preact/hooks';
import { readSetup, type SetupState } from './api/people.js';
import { path } from './router.js';
import { environments, loadEnvironments } from './state/environments.js';
import { session } from './state/session.js';
import { Shell } from './views/shell.js';
import { Entrance } from './views/entrance.js';
import { Failure, Skeleton } from './widgets/small.js';
import { Toasts } from './widgets/toasts.js';

/** Who is not logged in comes through the entrance; everybody else sees the screens. */
export function App() {
  const isIn = session.value !== undefined;
  return (
    <>
      {isIn ? <Inside /> : <Outside />}
      <Toasts />
    </>
  );
}

function Inside() {
  const [error, setError] = useState<unknown>();
  const load = (): void => {
    setError(undefined);
    loadEnvironments().catch(setError);
  };
  useEffect(load, []);
  return (
    <Shell>
      {error !== undefined && !environments.value ? (
        <Failure error={error} onRetry={load} isWhole />
      ) : environments.value ? undefined : (
        <Skeleton rows={8} />
      )}
    </Shell>
  );
}

function Outside() {
  const [setup, setSetup] = useState<SetupState>();
  const [error, setError] = useState<unknown>();
  const load = (): void => {
    setError(undefined);
    readSetup().then(setSetup, setError);
  };
  useEffect(load, []);
  if (error !== undefined)
    return (
      <main class="entrance">
        <Failure error={error} onRetry={load} isWhole />
      </main>
    );
  return setup ? <Entrance setup={setup} page={path.value} /> : null;
}
