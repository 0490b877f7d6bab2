import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { SetupState } from '../api/people.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { navigate } from '../router.js';
import { farewell, logIn, register, setUp } from '../state/session.js';
import { Button } from '../widgets/button.js';
import { Field } from '../widgets/field.js';
import { Notice } from '../widgets/small.js';
import { Logo } from './logo.js';

type Way = 'setup' | 'login' | 'register';

const WORDS: Record<Way, { title: string; lede: string; verb: string }> = {
  setup: {
    title: 'Create the first admin',
    lede: 'This installation is new. Its setup token stands in the log of the service, where it started.',
    verb: 'Create admin',
  },
  login: { title: 'Log in', lede: 'Feature flags that say why.', verb: 'Log in' },
  register: {
    title: 'Create an account',
    lede: 'You begin as a viewer. An admin can let you do more.',
    verb: 'Create account',
  },
};

/** The door: setting up the first admin, logging in, registering. */
export function Entrance({ setup, page }: { setup: SetupState; page: string }) {
  const way: Way = setup.needed
    ? 'setup'
    : page === '/register' && setup.registration_open
      ? 'register'
      : 'login';
  useEffect(() => {
    document.title = `${WORDS[way].title} · Vexil`;
  }, [way]);
  return (
    <main class="entrance">
      <div class="entrance-card">
        <Logo />
        <h1>{WORDS[way].title}</h1>
        <p class="muted">{WORDS[way].lede}</p>
        {farewell.value && way === 'login' && <Notice role="status">{farewell.value}</Notice>}
        <EntranceForm key={way} way={way} page={page} />
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
      </div>
    </main>
  );
}

function EntranceForm({ way, page }: { way: Way; page: string }) {
  const [fields, setFields] = useState({ email: '', password: '', name: '', token: '' });
  const [problem, setProblem] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [isShown, setShown] = useState(false);
  const [isCapsLock, setCapsLock] = useState(false);
  const alert = useRef<HTMLDivElement>(null);
  const wait = useWait(problem);
  useLayoutEffect(() => {
    if (problem !== undefined) alert.current?.focus();
  }, [problem]);

  const isNew = way !== 'login';
  const errorOf = (path: string): string | undefined =>
    problem instanceof ApiProblem ? problem.errors.find((error) => error.path === path)?.message : undefined;
  const input = (name: keyof typeof fields) => ({
    value: fields[name],
    required: true,
    onInput: (event: { currentTarget: HTMLInputElement }) =>
      setFields({ ...fields, [name]: event.currentTarget.value }),
  });

  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    const { email, password, name, token } = fields;
    try {
      if (way === 'setup') await setUp({ email, password, name, token: token.trim() });
      else if (way === 'register') await register({ email, password, name });
      else await logIn({ email, password });
      if (way === 'setup') navigate('/start', { replace: true });
      else if (page === '/' || page === '/login' || page === '/register')
        navigate('/flags', { replace: true });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };

  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy && wait === 0) void submit();
      }}
    >
      {problem !== undefined && (
        <div ref={alert} tabIndex={-1} role="alert" class="notice bad">
          <div>
            {wait > 0 ? `Too many attempts. You can try again in ${wait} seconds.` : sentenceOf(problem)}
          </div>
        </div>
      )}
      {way === 'setup' && (
        <Field label="Setup token" error={errorOf('token')}>
          <input type="text" autocomplete="off" spellcheck={false} {...input('token')} />
        </Field>
      )}
      {isNew && (
        <Field label="Your name" error={errorOf('name')}>
          <input type="text" autocomplete="name" maxLength={100} {...input('name')} />
        </Field>
      )}
      <Field label="E-mail" error={errorOf('email')}>
        <input type="email" autocomplete="username" inputMode="email" {...input('email')} />
      </Field>
      <div class="password">
        <Field
          label="Password"
          error={errorOf('password')}
          hint={
            isCapsLock
              ? 'Caps Lock is on.'
              : isNew
                ? 'At least 8 characters; a few words are best.'
                : undefined
          }
        >
          <input
            {...({ type: isShown ? 'text' : 'password' } as { type: 'password' })}
            autocomplete={isNew ? 'new-password' : 'current-password'}
            minLength={isNew ? 8 : undefined}
            onKeyUp={(event) => setCapsLock(event.getModifierState('CapsLock'))}
            {...input('password')}
          />
        </Field>
        <button type="button" class="reveal" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? 'Hide' : 'Show'}
          <span class="hidden"> password</span>
        </button>
      </div>
      <Button type="submit" tone="primary" busy={isBusy} disabled={wait > 0}>
        {WORDS[way].verb}
      </Button>
    </form>
  );
}

/** Seconds that are left of a time that the service wants to be left alone. */
function useWait(problem: unknown): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const seconds =
      problem instanceof ApiProblem && problem.status === 429 ? (problem.retryAfterSeconds ?? 0) : 0;
    setLeft(Math.ceil(seconds));
    if (seconds === 0) return undefined;
    const until = Date.now() + seconds * 1000;
    const timer = setInterval(() => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000))), 250);
    return () => clearInterval(timer);
  }, [problem]);
  return left;
}
