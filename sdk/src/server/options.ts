import { ValidationError, type InvalidField } from '../errors.js';
import { exposureFlaws } from '../exposure-options.js';
import type { ExposureOptions } from '../exposures.js';
import { baseUrlFlaw, globalFetch } from '../http.js';
import { isVisibleAscii, MUST_BE_VISIBLE } from '../option-flaws.js';
import type { ClientOptions, Fetch, Logger } from '../types.js';

/** What `createServerClient` is told. Times are in milliseconds. */
export interface ServerClientOptions extends ClientOptions {
  /** A key of kind `server`, of this environment or of all. */
  readonly apiKey: string;
  /** Whether to follow the stream; true unless said otherwise. Where it is impossible, the client asks again and again by itself. */
  readonly streaming?: boolean;
  /** How long between two questions where the stream is not followed; 15,000 unless said otherwise, at least 1,000. */
  readonly pollIntervalMs?: number;
  /** How long a stream may be silent before it counts as broken: three heartbeats of the service; 45,000 unless said otherwise. */
  readonly streamSilenceMs?: number;
  /** How long the service may be out of reach before answers are marked stale; 5,000 unless said otherwise. */
  readonly staleAfterMs?: number;
  /** The shortest wait after a failure; 500 unless said otherwise. */
  readonly minBackoffMs?: number;
  /** The longest wait after a failure; 30,000 unless said otherwise. */
  readonly maxBackoffMs?: number;
  /** How long to wait after the service refused the key; 60,000 unless said otherwise. */
  readonly deniedRetryMs?: number;
  /** What to decide by until the service has answered: a ruleset as `GET /ruleset` gives it, or a file with one. */
  readonly bootstrap?: object | { readonly file: string };
  /** A file to keep the last ruleset in, and to begin with after a restart. It holds the rules: keep it from other users. */
  readonly persistTo?: string;
  /** Who is told of variants that were given; nobody unless said otherwise. */
  readonly exposures?: ExposureOptions;
}

export interface Settings {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly environment: string;
  readonly requestTimeoutMs: number;
  readonly streaming: boolean;
  readonly pollIntervalMs: number;
  readonly streamSilenceMs: number;
  readonly staleAfterMs: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly deniedRetryMs: number;
  readonly bootstrap: object | undefined;
  readonly persistTo: string | undefined;
  readonly exposures: ExposureOptions | undefined;
  readonly logger: Logger;
  readonly fetch: Fetch;
}

/** With its least value, and what it is unless said otherwise. */
const TIMES = {
  requestTimeoutMs: [1, 10_000],
  pollIntervalMs: [1_000, 15_000],
  streamSilenceMs: [1, 45_000],
  staleAfterMs: [0, 5_000],
  minBackoffMs: [1, 500],
  maxBackoffMs: [1, 30_000],
  deniedRetryMs: [1, 60_000],
} as const;

/** What a timer can count. */
const MAX_MS = 2 ** 31 - 1;

/** @throws ValidationError that names every option that cannot be */
export function settingsOf(options: ServerClientOptions): Settings {
  const problems: InvalidField[] = [];
  const given = (options as ServerClientOptions | undefined) ?? ({} as ServerClientOptions);
  const flaw = baseUrlFlaw(given.baseUrl);
  if (flaw !== undefined) problems.push({ path: 'baseUrl', message: flaw });
  for (const path of ['apiKey', 'environment'] as const) {
    const value: unknown = given[path];
    if (typeof value !== 'string' || value === '') problems.push({ path, message: 'must be a text' });
    else if (!isVisibleAscii(value)) problems.push({ path, message: MUST_BE_VISIBLE });
  }
  const times = Object.fromEntries(
    Object.entries(TIMES).map(([path, [least, fallback]]) => {
      const value: unknown = given[path as keyof typeof TIMES] ?? fallback;
      const isRight = typeof value === 'number' && value >= least && value <= MAX_MS;
      if (!isRight) problems.push({ path, message: `must be a number from ${least} to ${MAX_MS}` });
      return [path, value];
    }),
  ) as Record<keyof typeof TIMES, number>;
  const { bootstrap, persistTo } = given;
  if (bootstrap !== undefined && (typeof bootstrap !== 'object' || (bootstrap as unknown) === null))
    problems.push({ path: 'bootstrap', message: 'must be a ruleset, or { file }' });
  if (persistTo !== undefined && (typeof persistTo !== 'string' || persistTo === ''))
    problems.push({ path: 'persistTo', message: 'must be the path of a file' });
  const { streaming = true, fetch = globalFetch, logger = console, exposures } = given;
  if (typeof streaming !== 'boolean') problems.push({ path: 'streaming', message: 'must be true or false' });
  if (typeof fetch !== 'function') problems.push({ path: 'fetch', message: 'must be a function' });
  if (!isLogger(logger)) problems.push({ path: 'logger', message: 'must have functions warn and error' });
  problems.push(...exposureFlaws(exposures));
  if (problems.length > 0) {
    const said = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new ValidationError(`The client cannot be made: ${said}`, problems);
  }
  return {
    ...times,
    baseUrl: given.baseUrl,
    apiKey: given.apiKey,
    environment: given.environment,
    streaming,
    bootstrap,
    persistTo,
    exposures,
    logger: harmless(logger),
    fetch,
  };
}

const isLogger = (given: unknown): given is Logger =>
  ['warn', 'error'].every(
    (name) => typeof (given as Record<string, unknown> | null | undefined)?.[name] === 'function',
  );

/** A logger that throws does no harm to the client. */
function harmless(logger: Logger): Logger {
  const saying =
    (level: 'warn' | 'error') =>
    (message: string): void => {
      try {
        logger[level](message);
      } catch {
        // There is nobody else to tell.
      }
    };
  return { warn: saying('warn'), error: saying('error') };
}
