import { computed, signal } from '@preact/signals';
import { credentials } from '../api/credentials.js';
import * as invites from '../api/invites.js';
import * as people from '../api/people.js';
import { ApiProblem } from '../api/problem.js';
import { tabStorage } from './storage.js';

interface OpenSession {
  readonly token: string;
  readonly user: people.User;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

type Said =
  | { readonly kind: 'ended' }
  | { readonly kind: 'wanted' }
  | { readonly kind: 'offered'; readonly session: OpenSession };

const KEY = 'session';
/** A new tab waits so long for another one to share its session. */
const SHARING_MS = 150;

const stored = tabStorage.read(KEY) as OpenSession | undefined;
export const session = signal<OpenSession | undefined>(
  stored && stored.expiresAt > Date.now() ? stored : undefined,
);
/** Why the last one ended, for the login page. */
export const farewell = signal<string | undefined>(undefined);
export const user = computed(() => session.value?.user);

const RANKS: readonly people.Role[] = ['viewer', 'developer', 'admin'];
/** Whether who is logged in may do what needs `role`. */
export const isAtLeast = (role: people.Role): boolean =>
  RANKS.indexOf(session.value?.user.role ?? 'viewer') >= RANKS.indexOf(role);

const tabs = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('vexil.session');
let renewal: ReturnType<typeof setTimeout> | undefined;

credentials.token = session.value?.token;
credentials.onRefused = () => end('Your session has ended. Please log in again.');

function begin({ access_token: token, expires_in: seconds, user: who }: people.Session): void {
  open({ token, user: who, expiresAt: Date.now() + seconds * 1000 });
}

function open(opened: OpenSession): void {
  credentials.token = opened.token;
  session.value = opened;
  farewell.value = undefined;
  tabStorage.write(KEY, opened);
  renewLater(opened);
}

/** At two thirds of its life, so that one failure leaves time for another try. */
function renewLater({ expiresAt }: OpenSession): void {
  clearTimeout(renewal);
  renewal = setTimeout(() => void renew(), Math.max(5_000, (expiresAt - Date.now()) * 0.66));
}

async function renew(): Promise<void> {
  const before = session.value;
  if (!before) return;
  try {
    const renewed = await people.refresh();
    if (session.value === before) begin(renewed);
  } catch (error) {
    // Refused for good: it goes on until its end. Not reached: once more, soon.
    if (session.value === before && !(error instanceof ApiProblem && error.status === 403))
      renewLater(before);
  }
}

/** @param why shown on the login page; nothing when the person left by themselves */
export function end(why?: string): void {
  if (!session.value) return;
  clearTimeout(renewal);
  credentials.token = undefined;
  session.value = undefined;
  farewell.value = why;
  tabStorage.write(KEY, undefined);
}

/** Logs out, in every tab. */
export function logOut(): void {
  end();
  tabs?.postMessage({ kind: 'ended' } satisfies Said);
}

export async function logIn(request: Parameters<typeof people.logIn>[0]): Promise<void> {
  begin(await people.logIn(request));
}
export async function register(request: Parameters<typeof people.register>[0]): Promise<void> {
  begin(await people.register(request));
}
export async function acceptInvite(request: Parameters<typeof invites.acceptInvite>[0]): Promise<void> {
  begin(await invites.acceptInvite(request));
}
export async function setUp(request: Parameters<typeof people.setUp>[0]): Promise<void> {
  begin(await people.setUp(request));
}

/** Takes up the session of this tab, or of another one. */
export async function startSession(): Promise<void> {
  tabs?.addEventListener('message', ({ data }: MessageEvent<Said>) => {
    if (data.kind === 'ended') end('You logged out in another tab.');
    else if (data.kind === 'wanted' && session.value)
      tabs.postMessage({ kind: 'offered', session: session.value } satisfies Said);
    else if (data.kind === 'offered' && !session.value && data.session.expiresAt > Date.now())
      open(data.session);
  });
  if (session.value) {
    renewLater(session.value);
    return;
  }
  if (!tabs) return;
  tabs.postMessage({ kind: 'wanted' } satisfies Said);
  await new Promise((resolve) => setTimeout(resolve, SHARING_MS));
}
