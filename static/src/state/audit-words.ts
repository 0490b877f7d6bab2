import { percent, shortJson } from './wording.js';

/** A field of something that was changed, from the audit log. */
export interface FieldChange {
  readonly old: unknown;
  readonly new: unknown;
}

const LONGEST = 40;
const SPOKEN: Readonly<Record<string, string>> = {
  api_key: 'API key',
  invite: 'invitation',
  re_randomised: 're-randomised',
};
/** The name of an action, or of a kind of thing or actor, as people say it. */
export const spoken = (word: string): string => SPOKEN[word] ?? word;

/**
 * What happened to a thing, for people: `turned on`, `rollout 10% → 25%`, `rules changed`. What follows from something else
 * that is told is left out.
 */
export function changeWords(changes: Readonly<Record<string, FieldChange>>): string[] {
  const share = changes['rollout_percentage'];
  return Object.entries(changes)
    .filter(([field]) => field !== 'flag_type' || share === undefined)
    .map(([field, change]) => words(field, change));
}

function words(field: string, { old, new: now }: FieldChange): string {
  if (field === 'is_enabled') return now === true ? 'turned on' : 'turned off';
  if (field === 'is_active') return now === true ? 'let in again' : 'disabled';
  if (field === 'archived') return now === true ? 'archived' : 'brought back';
  if (field === 'rollout_percentage' && typeof old === 'number' && typeof now === 'number')
    return `rollout ${percent(old)} → ${percent(now)}`;
  const name = field.replaceAll('_', ' ');
  return isRich(old) || isRich(now) ? `${name} changed` : `${name} ${brief(old)} → ${brief(now)}`;
}

/** Too much to be told in a line. */
const isRich = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (!Array.isArray(value) || value.some((each) => typeof each === 'object'));

function brief(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'nothing';
  const text =
    typeof value === 'string'
      ? value
      : Array.isArray(value)
        ? value.map(String).join(', ')
        : shortJson(value);
  return text === '' ? 'nothing' : text.length > LONGEST ? `${text.slice(0, LONGEST - 2)}…` : text;
}
