/** What a person asks of the flag table. */
export interface FlagSearch {
  /** Words that are no terms, as they were typed. */
  readonly text: string;
  readonly tags: readonly string[];
  readonly owner: string | undefined;
  readonly valueType: 'boolean' | 'string' | 'number' | 'json' | undefined;
  /** Environments in which the flag must be on, and off. */
  readonly on: readonly string[];
  readonly off: readonly string[];
  readonly isStale: boolean | undefined;
  readonly archived: 'false' | 'true';
  /** What was not understood, in sentences. */
  readonly problems: readonly string[];
}

const TYPES = ['boolean', 'string', 'number', 'json'] as const;
/** A word, or a term whose value is in quotes: `owner:"team checkout"`, `#"a tag"`. */
const WORD = /[^\s"]*"[^"]*"?|\S+/g;

/**
 * Reads `checkout #payments is:stale is:on@production type:json owner:me`.
 * @param me what `owner:me` stands for
 */
export function parseFlagSearch(text: string, me = ''): FlagSearch {
  const plain: string[] = [];
  const problems: string[] = [];
  const tags: string[] = [];
  const on: string[] = [];
  const off: string[] = [];
  let owner: string | undefined;
  let valueType: FlagSearch['valueType'];
  let isStale: boolean | undefined;
  let archived: FlagSearch['archived'] = 'false';

  const readState = (state: string, negated: boolean): void => {
    const [name = '', environment = ''] = state.split('@');
    if (name === 'stale' && environment === '') isStale = !negated;
    else if (name === 'archived' && environment === '' && !negated) archived = 'true';
    else if (name === 'on' || name === 'off') {
      if (environment === '') problems.push(`Say where: is:${name}@production`);
      else ((name === 'on') === negated ? off : on).push(environment);
    } else problems.push(`is:${state} is not known; there is stale, archived, on@… and off@…`);
  };

  for (const word of text.match(WORD) ?? []) {
    const [, minus = '', name = '', raw = ''] = /^(-?)(?:(#|is:|type:|owner:))?(.*)$/s.exec(word) ?? [];
    const value = raw.replaceAll('"', '');
    if (name === '') plain.push(word.replaceAll('"', ''));
    else if (value === '') continue;
    else if (name === '#') tags.push(value);
    else if (name === 'owner:') owner = value === 'me' ? me : value;
    else if (name === 'is:') readState(value.toLowerCase(), minus === '-');
    else if ((TYPES as readonly string[]).includes(value.toLowerCase()))
      valueType = value.toLowerCase() as (typeof TYPES)[number];
    else problems.push(`type:${value} is not known; there is ${TYPES.join(', ')}`);
  }
  return { text: plain.join(' ').trim(), tags, owner, valueType, on, off, isStale, archived, problems };
}

/** Adds a term, or takes it away when it is there. */
export function toggleTerm(search: string, term: string): string {
  const words: readonly string[] = search.match(WORD) ?? [];
  return words.includes(term) ? words.filter((word) => word !== term).join(' ') : [...words, term].join(' ');
}
