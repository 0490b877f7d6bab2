import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { navigate } from '../router.js';
import { acceptInvite, logIn, register, setUp } from '../state/session.js';
import { Button } from '../widgets/button.js';
import { Field } from '../widgets/field.js';

interface Props {
  readonly way: 'setup' | 'login' | 'register' | 'invite';
  /** Where the person wanted to go. */
  readonly page: string;
  /** What the button says. */
  readonly verb: string;
  /** The token that the address brought along, and the only e-mail address it is for. */
  readonly invited?: { readonly token: string; readonly email: string | null };
}

/** Places that are left once one is in. */
const DOORS = ['/', '/login', '/register', '/invite'];

/** Who one is, and a password: what every way in asks for. */
export function EntranceForm({ way, page, verb, invited }: Props) {
  const [fields, setFields] = useState({
    email: invited?.email ?? '',
    password: '',
    name: '',
    token: invited?.token ?? '',
  });
  const [problem, setProblem] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const [isShown, setShown] = useState(false);
  const [isCapsLock, setCapsLock] = useState(false);
  const alert = useRef<HTMLDivElement>(null);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    // The first that is to be filled in; what the address brought along is there already.
    [...(form.current?.querySelectorAll('input') ?? [])].find(({ value }) => value === '')?.focus();
  }, []);
  const wait = useWait(problem);
  useLayoutEffect(() => {
    if (problem !== undefined) alert.current?.focus();
  }, [problem]);

  const isNew = way !== 'login';
  const isFixed = (invited?.email ?? null) !== null;
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
      else if (way === 'invite') await acceptInvite({ email, password, name, token });
      else await logIn({ email, password });
      if (way === 'setup') navigate('/start', { replace: true });
      else if (DOORS.includes(page)) navigate('/flags', { replace: true });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };

  return (
    <form
      ref={form}
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
      <Field
        label="E-mail"
        error={errorOf('email')}
        hint={isFixed ? 'The invitation is for this address.' : undefined}
      >
        <input
          type="email"
          autocomplete="username"
          inputMode="email"
          readOnly={isFixed}
          {...input('email')}
        />
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
        {verb}
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
