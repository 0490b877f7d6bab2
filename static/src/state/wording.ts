import type { FlagTableCell, Serve } from '../api/flags.js';

const NUMBER = new Intl.NumberFormat('en');
const PERCENT = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export const number = (value: number): string => NUMBER.format(value);
/** `25` → `25%` */
export const percent = (value: number): string => `${PERCENT.format(value)}%`;
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${NUMBER.format(count)} ${count === 1 ? one : many}`;

/** What a flag does in an environment while it is on, in a few words: `25% · 2 rules`. */
export function cellSummary(cell: FlagTableCell): string {
  const parts: string[] = [];
  if (cell.unreadable) return 'not readable';
  const [first, ...others] = cell.served;
  if (cell.flag_type === 'percentage' && cell.rollout_percentage !== null)
    parts.push(percent(cell.rollout_percentage));
  else if (cell.flag_type === 'boolean') parts.push('everyone');
  else if (first && others.length === 0) parts.push(first.variant);
  else if (cell.served.length === 2)
    parts.push(cell.served.map(({ percentage }) => PERCENT.format(percentage)).join(' / ') + '%');
  else parts.push(plural(cell.served.length, 'variant'));
  if (cell.rule_count > 0) parts.push(plural(cell.rule_count, 'rule'));
  if (cell.target_count > 0) parts.push(plural(cell.target_count, 'target'));
  // A line ends between the parts, and not within one.
  return parts.map((part) => part.replaceAll(' ', '\u00a0')).join(' · ');
}

const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^variants\b/, 'Variant'],
  [/^targets\b/, 'Listed users:'],
  [/^default_serve\b/, 'Everyone else:'],
  [/^prerequisites\b/, 'Prerequisite'],
];

/** Where on a flag's page something is: `rules[2].conditions` → `Rule 3` */
export function placeWords(path: string): string {
  const rule = /^rules\[(\d+)\]/.exec(path)?.[1];
  if (rule !== undefined) return `Rule ${Number(rule) + 1}`;
  return PLACES.find(([pattern]) => pattern.test(path))?.[1] ?? path;
}

/** `on to 25% of users, off to the rest` */
export function serveSentence(serve: Serve | null, off: string | null): string {
  if (serve === null) return 'something this version cannot read';
  if ('variant' in serve) return `${serve.variant} to everyone`;
  const { percentage, weights, bucket_by: by } = serve.rollout;
  const unit = by === 'user_id' ? 'users' : `values of ${by}`;
  const live = weights.filter(({ weight }) => weight > 0);
  const shares =
    live.length === 1
      ? `${live[0]?.variant ?? ''} to ${percent(percentage)} of ${unit}`
      : `${live.map(({ variant, weight }) => `${variant} ${percent(weight)}`).join(', ')} ${
          percentage < 100 ? `among ${percent(percentage)} of ${unit}` : `of ${unit}`
        }`;
  if (percentage >= 100) return shares;
  return `${shares}, ${off === null ? "the caller's default" : off} to the rest`;
}

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** `3 hours ago`. @param now milliseconds since 1970 */
export function relativeTime(iso: string, now: number): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size) return RELATIVE.format(Math.round(seconds / size), unit);
  return seconds > 5 ? 'in a moment' : 'just now';
}

const LOCAL = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
export const absoluteTime = (iso: string): string =>
  `${LOCAL.format(new Date(iso))} (${new Date(iso).toISOString().replace('T', ' ').slice(0, 19)} UTC)`;
const MINUTE = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
/** `Nov 28, 2026, 19:51`, here. */
export const minuteOf = (iso: string): string => MINUTE.format(new Date(iso));
const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'full' });
export const dayOf = (iso: string): string => DAY.format(new Date(iso));
export const clockOf = (iso: string): string =>
  new Intl.DateTimeFormat('en', { timeStyle: 'short', hourCycle: 'h23' }).format(new Date(iso));

/** Any JSON value, shortly. */
export const shortJson = (value: unknown): string => {
  const text = (JSON.stringify(value) as string | undefined) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};
