import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './settings.js';

/** In hexadecimal digits. */
const LENGTH = 64;

/**
 * The secret that signs tokens: the configured one, or, outside production, one made at first start and kept
 * with the data (readable by its owner only), so that tokens survive a restart.
 * @throws Error when the kept one is damaged: tokens signed with nothing could be made by anybody
 */
export function signingSecret(config: Config): string {
  if (config.jwtSecretKey !== undefined) return config.jwtSecretKey;
  const file = join(config.dataDir, 'jwt-secret');
  const kept = read(file) ?? make(config.dataDir, file);
  if (kept.length < LENGTH)
    throw new Error(`${file} is damaged. Remove it to get a new secret; everybody must then log in again.`);
  return kept;
}

/** Written aside and then named, so that it is never seen half-written; of several processes the first one names it. */
function make(folder: string, file: string): string {
  mkdirSync(folder, { recursive: true });
  const aside = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(aside, randomBytes(LENGTH / 2).toString('hex'), { mode: 0o600, flag: 'wx', flush: true });
    linkSync(aside, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  return read(file) ?? '';
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;
