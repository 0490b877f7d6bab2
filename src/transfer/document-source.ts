import { readFile, stat } from 'node:fs/promises';
import { Refused } from '../platform/errors/errors.js';
import { NoYaml, readYaml } from './yaml.js';

/** There is no document where one was said to be, or none that can be read. */
export class NoDocument extends Refused {
  readonly code = 'no_document';
}

/** What the owner of an address asks for. */
export interface Credentials {
  /** Sent as `X-API-Key`. */
  readonly key?: string | undefined;
  /** Sent as `Authorization`, with `Bearer` before it unless it is for Unleash, or says otherwise itself. */
  readonly token?: string | undefined;
}

const MOST_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 5;

export const isAddress = (place: string): boolean => /^https?:\/\//i.test(place);

/** Where to ask. @throws NoDocument for what is no address, or one that holds a secret */
export function addressOf(place: string, from?: URL): URL {
  if (!URL.canParse(place, from?.href)) throw new NoDocument(`${place} is no address.`);
  const url = new URL(place, from);
  if (url.username !== '' || url.password !== '')
    throw new NoDocument(`${url.origin} is asked without a password in its address: say --key or --token.`);
  return url;
}

/** Reads JSON from a file, or from an address over HTTP. @throws NoDocument, saying why */
export async function readJson(place: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const text = await textAt(place, headers);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new NoDocument(`${place} is no JSON.`);
  }
}

/** The same of what may be YAML as well: whatever is no JSON. @throws NoDocument, saying why, and in which line */
export async function readJsonOrYaml(
  place: string,
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const text = await textAt(place, { ...headers, Accept: 'application/json, application/yaml, */*;q=0.1' });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return yamlIn(place, text);
  }
}

function yamlIn(place: string, text: string): unknown {
  try {
    return readYaml(text);
  } catch (error) {
    if (!(error instanceof NoYaml)) throw error;
    throw new NoDocument(`${place} ${error.message}.`);
  }
}

async function textAt(place: string, headers: Readonly<Record<string, string>>): Promise<string> {
  const text = isAddress(place) ? await fetched(place, headers) : await fromFile(place);
  return text.replace(/^\uFEFF/, '');
}

/** @throws NoDocument */
export function headersOf({ key, token }: Credentials, isBare: boolean): Record<string, string> {
  if (![key, token].every((secret = '') => /^[\x20-\x7e]*$/.test(secret.trim())))
    throw new NoDocument('The key or the token has characters that cannot be sent.');
  return {
    Accept: 'application/json',
    ...(key === undefined ? {} : { 'X-API-Key': key }),
    ...(token === undefined
      ? {}
      : { Authorization: isBare || token.includes(' ') ? token : `Bearer ${token}` }),
  };
}

async function fromFile(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MOST_BYTES) throw new NoDocument(`${path} has more than 64 MB.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof NoDocument) throw error;
    throw new NoDocument(`${path} cannot be read: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}

async function fetched(address: string, headers: Readonly<Record<string, string>>): Promise<string> {
  let url = addressOf(address);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await answerOf(url, headers);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      const next = addressOf(location, url);
      // A credential is for whom it was given for.
      if (next.origin !== url.origin)
        throw new NoDocument(`${url.origin} sends on to ${next.origin}; name that address if it is right.`);
      url = next;
      continue;
    }
    if (!response.ok) throw new NoDocument(`${url.origin}${url.pathname} answered ${response.status}.`);
    return textOf(response, url);
  }
  throw new NoDocument(`${address} sends on and on.`);
}

async function answerOf(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
  try {
    return await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new NoDocument(`${url.origin} does not answer: ${reasonOf(error)}`);
  }
}

async function textOf(response: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MOST_BYTES) throw new NoDocument(`${url.origin}${url.pathname} has more than 64 MB.`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof NoDocument) throw error;
    throw new NoDocument(`${url.origin} stopped answering: ${reasonOf(error)}`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause instanceof Error ? error.cause.message : error.message;
};
