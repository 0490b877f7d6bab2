import { FLAG_KEY_PATTERN } from '../core/index.js';

/** Names that a path or a page of ours needs. */
export const RESERVED_KEYS: readonly string[] = [
  'admin',
  'api',
  'auth',
  'health',
  'docs',
  'stream',
  'stats',
  'system',
  'debug',
];

/** What is wrong with the key of a flag that is to be made; `undefined` for a good one. */
export function flawOfKey(key: string, reserved = RESERVED_KEYS): string | undefined {
  if (!FLAG_KEY_PATTERN.test(key))
    return "must be 1 to 100 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit";
  return reserved.includes(key) ? `must not be one of ${reserved.join(', ')}` : undefined;
}
