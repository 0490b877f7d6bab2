/** One request to the service, with what can go wrong as typed errors. */
import {
  ApiError,
  type ApiFailure,
  FlagNotFound,
  NetworkError,
  TimeoutError,
  ValidationError,
} from './errors.js';
import { unref } from './sse.js';
import type { Fetch, FetchResponse } from './types.js';

export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How long it may take. */
  readonly timeoutMs: number;
  /** Ends it, also while the body is being read. */
  readonly signal?: AbortSignal | undefined;
  /** Statuses beside 2xx that are an answer. */
  readonly accepts?: readonly number[];
}

/**
 * The address of an endpoint. A base path stays, with or without a slash at its end.
 * @param path relative, without a slash before it: `ruleset`
 */
export function endpoint(
  baseUrl: string,
  path: string,
  query: Readonly<Record<string, string>> = {},
): string {
  const url = new URL(path, baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

/** What is wrong with a base URL; `undefined` when nothing is. */
export function baseUrlFlaw(baseUrl: unknown): string | undefined {
  let url: URL;
  try {
    url = new URL(baseUrl as string);
  } catch {
    return 'must be a URL, such as https://flags.example.com';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
  if (url.search !== '' || url.hash !== '') return 'must not hold a query or a fragment';
  return undefined;
}

/** The global `fetch`, looked up when it is called. */
export const globalFetch: Fetch = (url, init) => fetch(url, init);

/**
 * Sends, and gives the response as soon as its status is known; its body is still to come. The signal ends that too.
 * @throws NetworkError, TimeoutError, ApiError (FlagNotFound), ValidationError
 */
export function open(fetcher: Fetch, url: string, request: Request): Promise<FetchResponse> {
  return perform(fetcher, url, request, (response) => Promise.resolve({ result: response, isOver: false }));
}

/** What the service answered. */
export interface Answer {
  readonly status: number;
  readonly headers: FetchResponse['headers'];
  readonly text: string;
}

/**
 * Sends, and gives the whole answer, which has to be there within the time.
 * @throws NetworkError, TimeoutError, ApiError (FlagNotFound), ValidationError
 */
export function send(fetcher: Fetch, url: string, request: Request): Promise<Answer> {
  return perform(fetcher, url, request, async (response) => {
    const { status, headers } = response;
    return { result: { status, headers, text: await response.text() }, isOver: true };
  });
}

async function perform<Result>(
  fetcher: Fetch,
  url: string,
  { method = 'GET', headers = {}, body, timeoutMs, signal, accepts = [] }: Request,
  read: (response: FetchResponse) => Promise<{ result: Result; isOver: boolean }>,
): Promise<Result> {
  const abort = new AbortController();
  const onAbort = (): void => abort.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort, { once: true });
  const life = { isOver: true };
  const late = new TimeoutError(`${method} ${pathOf(url)} was not answered within ${timeoutMs} ms`);
  const timer = setTimeout(() => abort.abort(late), timeoutMs);
  unref(timer);
  const work = async (): Promise<Result> => {
    const response = await fetcher(url, {
      method,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
      signal: abort.signal,
      // A key must not follow to wherever it is sent.
      redirect: 'error',
      cache: 'no-store',
    });
    if (!response.ok && !accepts.includes(response.status)) throw await failureOf(response);
    const { result, isOver: hasEnded } = await read(response);
    life.isOver = hasEnded;
    return result;
  };
  try {
    // Not every fetch that a program brings along ends when it is told to.
    return await Promise.race([work(), abortOf(abort.signal)]);
  } catch (error) {
    if (abort.signal.reason === late) throw late;
    throw asNetworkError(error, method, url);
  } finally {
    clearTimeout(timer);
    if (life.isOver) signal?.removeEventListener('abort', onAbort);
  }
}

function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('ended'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function asNetworkError(error: unknown, method: string, url: string): Error {
  if (error instanceof ApiError || error instanceof ValidationError) return error;
  return new NetworkError(`${method} ${pathOf(url)} failed: ${reasonOf(error)}`, error);
}

/** What an error says, and what it says of its cause, where `fetch` hides it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error && cause.message !== ''
    ? `${error.message} (${cause.message})`
    : error.message;
}

const pathOf = (url: string): string => new URL(url).pathname;

async function failureOf(response: FetchResponse): Promise<Error> {
  const { status } = response;
  const problem = await problemOf(response);
  const text = (name: string): string | undefined =>
    typeof problem[name] === 'string' ? problem[name] : undefined;
  const detail = text('detail') ?? text('title') ?? `The service answered ${status}`;
  if (status === 400 || status === 422) return new ValidationError(detail, fieldsOf(problem['errors']));
  const failure: ApiFailure = {
    status,
    code: text('code') ?? `http_${status}`,
    detail,
    requestId: text('request_id'),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
  };
  return failure.code === 'flag_not_found' ? new FlagNotFound(failure) : new ApiError(failure);
}

async function problemOf(response: FetchResponse): Promise<Readonly<Record<string, unknown>>> {
  try {
    const problem: unknown = JSON.parse(await response.text());
    return typeof problem === 'object' && problem !== null ? (problem as Record<string, unknown>) : {};
  } catch {
    // A proxy's own page, or nothing.
    return {};
  }
}

function fieldsOf(errors: unknown): { path: string; message: string }[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((error: unknown) => {
    const { path, message } = (error ?? {}) as Readonly<Record<string, unknown>>;
    return {
      path: typeof path === 'string' ? path : '',
      message: typeof message === 'string' ? message : '',
    };
  });
}

/** Seconds or a date (RFC 9110). */
export function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
