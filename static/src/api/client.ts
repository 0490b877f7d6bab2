import createClient, { type Middleware } from 'openapi-fetch';
import { credentials } from './credentials.js';
import { nameRequest } from './own-requests.js';
import { outage } from './outage.js';
import { noAnswer, problemOf } from './problem.js';
import type { components, paths } from './schema.gen.js';

export type Schemas = components['schemas'];

/** How long an answer may take before the service counts as away. */
const PATIENCE_MS = 20_000;

const authorised: Middleware = {
  onRequest({ request }) {
    const { token } = credentials;
    if (token !== undefined) request.headers.set('Authorization', `Bearer ${token}`);
    // A batch names its requests itself: all alike.
    if (request.method !== 'GET' && !request.headers.has('X-Request-Id'))
      request.headers.set('X-Request-Id', nameRequest());
    return request;
  },
  onResponse({ request, response }) {
    const sent = request.headers.get('Authorization');
    // Only the token that is in use can end the session; an answer may come after somebody else logged in.
    if (response.status === 503) outage.onSeen();
    if (response.status === 401 && sent !== null && sent === `Bearer ${credentials.token ?? ''}`)
      credentials.onRefused();
    return response;
  },
};

export const client = createClient<paths>({
  baseUrl: '/',
  fetch: (request) =>
    fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]) }),
});
client.use(authorised);

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** The body of an answer, with the answer. @throws ApiProblem */
export async function answer<T>(asked: Promise<Answer<T>>): Promise<{ body: T; response: Response }> {
  let got: Answer<T>;
  try {
    got = await asked;
  } catch {
    throw noAnswer();
  }
  if (!got.response.ok) throw problemOf(got.response, got.error);
  return { body: got.data as T, response: got.response };
}

/** The body of an answer. @throws ApiProblem */
export async function body<T>(asked: Promise<Answer<T>>): Promise<T> {
  return (await answer(asked)).body;
}

/** A page of a list, and how many there are in all. @throws ApiProblem */
export async function page<T>(asked: Promise<Answer<T[]>>): Promise<{ items: T[]; total: number }> {
  const { body: items, response } = await answer(asked);
  return { items, total: Number(response.headers.get('X-Total-Count') ?? items.length) };
}

/** As the API wants a version in `If-Match`. */
export const ifMatch = (version: number | undefined): { 'If-Match'?: string } =>
  version === undefined ? {} : { 'If-Match': `"${version}"` };
