import { readFile } from 'node:fs/promises';
import { endpoint, globalFetch, send } from '../http.js';

const TIMEOUT_MS = 15_000;

export interface RulesetSource {
  readonly url: string;
  readonly apiKey: string;
  readonly environment: string;
}

/**
 * The ruleset that types are made of, from the service. A server key, an admin key or a person's token opens it.
 * @throws VexilError as `send` does
 */
export async function fetchRuleset({ url, apiKey, environment }: RulesetSource): Promise<unknown> {
  const { text } = await send(globalFetch, endpoint(url, 'ruleset', { environment_key: environment }), {
    headers: { Authorization: `Bearer ${apiKey}`, Accept: 'application/json' },
    timeoutMs: TIMEOUT_MS,
  });
  return JSON.parse(text);
}

/** The same from a file. @throws Error when there is none, or it holds no JSON */
export async function readRuleset(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  return JSON.parse(text);
}
