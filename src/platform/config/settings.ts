import { AUTH_SETTINGS } from './auth.settings.js';
import { CACHE_SETTINGS } from './cache.settings.js';
import { COMPAT_SETTINGS } from './compat.settings.js';
import { DATABASE_SETTINGS } from './database.settings.js';
import { HTTP_SETTINGS } from './http.settings.js';
import { SERVICE_SETTINGS } from './service.settings.js';
import { STREAM_SETTINGS } from './stream.settings.js';
import type { Setting } from './setting.js';

/** The settings by concern, as docs/configuration.md shows them. A new concern is a file and a line here. */
export const CONCERNS = {
  Service: SERVICE_SETTINGS,
  Database: DATABASE_SETTINGS,
  'Cache and freshness': CACHE_SETTINGS,
  'People and programs': AUTH_SETTINGS,
  HTTP: HTTP_SETTINGS,
  Streams: STREAM_SETTINGS,
  'Dialects of other systems': COMPAT_SETTINGS,
} as const;

/** Every setting of the service. Read once at boot; nothing else reads the environment. */
export const SETTINGS = {
  ...SERVICE_SETTINGS,
  ...DATABASE_SETTINGS,
  ...CACHE_SETTINGS,
  ...AUTH_SETTINGS,
  ...HTTP_SETTINGS,
  ...STREAM_SETTINGS,
  ...COMPAT_SETTINGS,
} as const;

type Parsed<S> = S extends Setting<infer T> ? T : never;
export type Config = { readonly [K in keyof typeof SETTINGS]: Parsed<(typeof SETTINGS)[K]> };

/** All mistakes in the environment, so that they can be mended in one go. */
export class ConfigurationError extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length} mistake(s):\n${mistakes.map((m) => `  - ${m}`).join('\n')}`,
    );
    this.name = 'ConfigurationError';
  }
}

/**
 * Reads every setting from `env`.
 * @throws ConfigurationError listing each mistake; never the value of a secret
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries(SETTINGS)) {
    try {
      values[field] = setting.parse((env[setting.name] ?? setting.fallback).trim());
    } catch (error) {
      mistakes.push(`${setting.name} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (
    values['nodeEnv'] === 'production' &&
    values['jwtSecretKey'] === undefined &&
    !mistakes.some((m) => m.startsWith('JWT_SECRET_KEY '))
  ) {
    mistakes.push('JWT_SECRET_KEY is missing: production needs one, for example from `openssl rand -hex 32`');
  }
  const sentByPrograms = values['apiKey'];
  if (sentByPrograms !== undefined && sentByPrograms === values['jwtSecretKey'])
    mistakes.push('API_KEY must be another secret than JWT_SECRET_KEY: whoever has that one can be anybody');
  if (values['nodeEnv'] === 'production' && values['compatOpenWrites'] === true)
    mistakes.push('COMPAT_OPEN_WRITES must not be true in production: anybody could change flags');
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return values as unknown as Config;
}
