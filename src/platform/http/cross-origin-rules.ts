import type { Config } from '../config/settings.js';
import type { CrossOrigin, CrossOriginRequest } from './cross-origin.js';

/** What a page of another origin may read of an answer beside its body. */
export const EXPOSED_HEADERS: readonly string[] = [
  'ETag',
  'Retry-After',
  'X-Cache',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Request-Id',
  'X-Snapshot',
  'X-Total-Count',
];

/** Which origins may read the answer to a request: those of the installation, or the one that its key allows. */
export function readersOf(
  request: Omit<CrossOriginRequest, 'origin'> & { readonly origin: string | undefined },
  { allowedOrigins }: Pick<Config, 'allowedOrigins'>,
  crossOrigin: CrossOrigin,
): '*' | readonly string[] {
  if (allowedOrigins.includes('*')) return '*';
  const { origin } = request;
  return origin !== undefined && crossOrigin.allows({ ...request, origin }) ? [origin] : allowedOrigins;
}

const EXPOSED = ['Access-Control-Expose-Headers', EXPOSED_HEADERS.join(',')];
const TO_ALL = ['Access-Control-Allow-Origin', '*', ...EXPOSED];
const TO_NONE = ['Vary', 'Origin', ...EXPOSED];

/**
 * What Nest's CORS puts into the answer to a request of a page, where something in front of it answers.
 * @returns names and values in turn
 */
export function headersForPage(
  request: CrossOriginRequest,
  config: Pick<Config, 'allowedOrigins'>,
  crossOrigin: CrossOrigin,
): readonly string[] {
  const readers = readersOf(request, config, crossOrigin);
  if (readers === '*') return TO_ALL;
  // An empty one is none to the application either.
  return request.origin !== '' && readers.includes(request.origin)
    ? ['Access-Control-Allow-Origin', request.origin, ...TO_NONE]
    : TO_NONE;
}
