import type { JsonValue } from '../core/index.js';
import type { Outcome } from './import-run.js';
import type { Remark } from './portable.js';

const SIGNS = { created: '+', changed: '~', same: '=', refused: '!' } as const;
const MOST_SHOWN = 160;

/** What an import did or would do, as lines for people: what changes, what is to be known, what is refused; a summary at the end. */
export function reportOf(
  outcomes: readonly Outcome[],
  notes: readonly Remark[],
  refused: readonly Remark[],
  isDryRun: boolean,
): string[] {
  const lines = outcomes.filter(({ became }) => became !== 'same').flatMap(linesOf);
  for (const { subject, message } of refused) lines.push(`! ${subject}: refused: ${message}`);
  for (const { subject, message } of notes) lines.push(`* ${subject}: ${message}`);
  const count = (wanted: Outcome['became']): number =>
    outcomes.filter(({ became }) => became === wanted).length;
  const sum = `${count('created')} created, ${count('changed')} changed, ${count('same')} same, ${count('refused') + refused.length} refused`;
  lines.push(isDryRun ? `${sum}. This was a dry run: nothing has been written.` : `${sum}.`);
  return lines.map(printable);
}

function linesOf({ kind, key, environmentKey, became, differences, reasons }: Outcome): string[] {
  const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
  const head = `${SIGNS[became]} ${kind} '${key}' in ${environmentKey}: ${became}${why}`;
  const shown = became === 'created' ? differences.filter(({ after }) => !isNothing(after)) : differences;
  return [
    head,
    ...shown.map(({ field, before, after }) =>
      became === 'created'
        ? `    ${field}: ${short(after)}`
        : `    ${field}: ${short(before)} → ${short(after)}`,
    ),
  ];
}

const isNothing = (value: JsonValue | undefined): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

function short(value: JsonValue | undefined): string {
  const json = value === undefined ? 'nothing' : JSON.stringify(value);
  return json.length > MOST_SHOWN ? `${json.slice(0, MOST_SHOWN)}…` : json;
}

/** Names come from documents, and a terminal obeys what they may hold. */
const printable = (line: string): string => line.replaceAll(/\p{Cc}|\p{Cf}/gu, '\uFFFD');
