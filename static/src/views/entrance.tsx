import { useEffect } from 'preact/hooks';
import type { SetupState } from '../api/people.js';
import { place } from '../router.js';
import { farewell } from '../state/session.js';
import { lazy } from '../widgets/lazy.js';
import { Notice } from '../widgets/small.js';
import { EntranceForm } from './entrance-form.js';
import { Logo } from './logo.js';

const Invitation = lazy(async () => (await import('./invitation.js')).Invitation, null);

type Way = 'setup' | 'login' | 'register';

const WORDS: Record<Way, { title: string; lede: string; verb: string }> = {
  setup: {
    title: 'Create the first admin',
    lede: 'This installation is new. Open the address that the service printed where it started, or paste its setup token.',
    verb: 'Create admin',
  },
  login: { title: 'Log in', lede: 'Feature flags that say why.', verb: 'Log in' },
  register: {
    title: 'Create an account',
    lede: 'You begin as a viewer. An admin can let you do more.',
    verb: 'Create account',
  },
};

/** The door: setting up the first admin, logging in, registering, following an invitation. */
export function Entrance({ setup, page }: { setup: SetupState; page: string }) {
  const isInvited = page === '/invite' && !setup.needed;
  return (
    <main class="entrance">
      <div class="entrance-card">
        <Logo />
        {isInvited ? <Invitation /> : <Ways setup={setup} page={page} />}
      </div>
    </main>
  );
}

function Ways({ setup, page }: { setup: SetupState; page: string }) {
  const way: Way = setup.needed
    ? 'setup'
    : page === '/register' && setup.registration_open
      ? 'register'
      : 'login';
  useEffect(() => {
    document.title = `${WORDS[way].title} · Vexil`;
  }, [way]);
  return (
    <>
      <h1>{WORDS[way].title}</h1>
      <p class="muted">
        {way === 'setup' && place.value.fragment !== ''
          ? 'This installation is new, and you are the first.'
          : WORDS[way].lede}
      </p>
      {farewell.value && way === 'login' && <Notice role="status">{farewell.value}</Notice>}
      <EntranceForm
        key={way}
        way={way}
        page={page}
        verb={WORDS[way].verb}
        {...(way === 'setup' ? { invited: { token: place.value.fragment, email: null } } : {})}
      />
      {way === 'login' && setup.registration_open && (
        <p class="muted">
          New here? <a href="/app/register">Create an account</a>
        </p>
      )}
      {way === 'register' && (
        <p class="muted">
          You have an account? <a href="/app/login">Log in</a>
        </p>
      )}
    </>
  );
}
