import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * The process environment over the values of `.env` in the working directory.
 * Production reads no file: what a container runs with is what its platform says.
 */
export function readEnvironment(): Record<string, string | undefined> {
  if (process.env['NODE_ENV'] === 'production') return { ...process.env };
  return { ...readDotEnv(), ...process.env };
}

function readDotEnv(): Record<string, string | undefined> {
  let text: string;
  try {
    text = readFileSync('.env', 'utf8');
  } catch {
    return {};
  }
  return parseEnv(text);
}
