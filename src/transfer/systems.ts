import { UnreadableDocument } from './conversion.js';
import {
  addressOf,
  headersOf,
  isAddress,
  readJson,
  readJsonOrYaml,
  type Credentials,
} from './document-source.js';
import { fromVexil } from './flag-document.js';
import { fromFlagd } from './flagd-import.js';
import { fromPlainSystem, PLAIN_SYSTEMS, type PlainSystemName } from './plain-systems.js';
import type { Portable } from './portable.js';
import { fromUnleash } from './unleash.js';

/** From where flags can come, by the names of the dialects. */
export const SYSTEMS = [
  ...(Object.keys(PLAIN_SYSTEMS) as PlainSystemName[]),
  'flagd',
  'unleash',
  'vexil',
] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** As many as the lists of 'dashboard' tell at once. */
const PAGE = 1_000;

/** Reads the flags of a system from its export, or from its list. @throws NoDocument, UnreadableDocument */
export async function readFrom(
  system: SystemName,
  place: string,
  credentials: Credentials,
): Promise<Portable> {
  const headers = headersOf(credentials, system === 'unleash');
  const read = (from: string): Promise<unknown> => readJson(from, headers);
  if (system === 'dashboard' && isAddress(place)) return convert(system, await inPages(place, read));
  const document = system === 'flagd' ? await readJsonOrYaml(place, headers) : await read(place);
  return convert(
    system,
    system === 'platform' && isAddress(place) ? await withEnvironments(place, document, read) : document,
  );
}

/** What a document of a system says. @throws UnreadableDocument */
export function convert(system: SystemName, document: unknown): Portable {
  switch (system) {
    case 'flagd':
      return fromFlagd(document);
    case 'unleash':
      return fromUnleash(document);
    case 'vexil':
      return fromVexil(document);
    default:
      return fromPlainSystem(system, document);
  }
}

/** That list ends after a hundred where nobody asks for more. */
async function inPages(place: string, read: (from: string) => Promise<unknown>): Promise<unknown[]> {
  const flags: unknown[] = [];
  for (;;) {
    const url = addressOf(place);
    url.searchParams.set('limit', String(PAGE));
    url.searchParams.set('skip', String(flags.length));
    const page = await read(url.href);
    if (!Array.isArray(page)) throw new UnreadableDocument(`This is not a list of flags of 'dashboard'.`);
    for (const flag of page) flags.push(flag);
    if (page.length < PAGE || flags.length >= 100_000) return flags;
  }
}

/** Its flags name their environments by ids, which a list beside theirs knows. */
async function withEnvironments(
  place: string,
  flags: unknown,
  read: (from: string) => Promise<unknown>,
): Promise<unknown> {
  if (!Array.isArray(flags)) return flags;
  const beside = new URL(place);
  beside.pathname = beside.pathname.replace(/flags\/?$/, 'environments');
  beside.search = '';
  return { flags, environments: await read(beside.href) };
}
