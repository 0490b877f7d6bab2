import type { AuditEntry } from '../api/audit.js';
import type { FlagUsage } from '../api/usage.js';
import { number, percent } from './wording.js';

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** `12,400` → `12.4K` */
export const compact = (value: number): string => COMPACT.format(value);

/** A line through counts, in a box as wide as they are many and `height` high; nothing where there was nothing. */
export function sparkPath(counts: readonly number[], height: number): string {
  const most = Math.max(...counts);
  if (!(most > 0)) return '';
  const points = counts.map((count, index) => `${index} ${round(height - (count / most) * height)}`);
  return `M${points.join('L')}`;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** A change of a flag, at its place in a chart. */
export interface Marker {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `0% → 25%` */
  readonly words: string;
  readonly by: string;
  readonly position: number;
}

/** Of these nobody who evaluates notices anything. */
const UNNOTICED = new Set(['name', 'description', 'tags', 'owner', 'client_visible', 'flag_type', 'key']);

const CALLED: Readonly<Record<string, string>> = {
  default_serve: 'other shares',
  off_variant: 'other off variant',
  targets: 'listed users',
  salt: 'placed anew',
  hash_version: 'placed anew',
};

/** The changes that who evaluates may notice, oldest first. */
export function markersOf(entries: readonly AuditEntry[]): Marker[] {
  return entries
    .flatMap((entry) => {
      const words = wordsOf(entry);
      const { created_at: at, actor, position } = entry;
      return words === '' ? [] : [{ at: Date.parse(at), words, by: actor.name, position }];
    })
    .sort((a, b) => a.at - b.at);
}

function wordsOf({ action, changes }: AuditEntry): string {
  if (action === 'created') return 'created';
  const fields = Object.entries(changes as Record<string, { old: unknown; new: unknown }>);
  const words = fields.flatMap(([field, change]) => (UNNOTICED.has(field) ? [] : [word(field, change)]));
  return [...new Set(words)].join(', ');
}

function word(field: string, { old, new: now }: { old: unknown; new: unknown }): string {
  if (field === 'is_enabled') return now === true ? 'on' : 'off';
  if (field === 'archived') return now === true ? 'archived' : 'brought back';
  if (field === 'rollout_percentage' && typeof old === 'number' && typeof now === 'number')
    return `${percent(old)} → ${percent(now)}`;
  if (field === 'rollout_percentage') return CALLED['default_serve'] ?? field;
  return CALLED[field] ?? field.replaceAll('_', ' ');
}

/** The bucket in which a moment is, by its place; `undefined` outside of them all. */
export function bucketAt(starts: readonly number[], sizeMs: number, at: number): number | undefined {
  const index = starts.findLastIndex((start) => start <= at);
  const start = starts[index];
  return start === undefined || at >= start + sizeMs ? undefined : index;
}

/** Rows of what is counted, newest first, without those before the first evaluation. */
export function usageRows({ starts_at: starts, series }: FlagUsage): { at: string; counts: number[] }[] {
  const rows = starts.map((at, index) => ({ at, counts: series.map(({ counts }) => counts[index] ?? 0) }));
  const first = rows.findIndex(({ counts }) => counts.some((count) => count > 0));
  return first < 0 ? [] : rows.slice(first).reverse();
}

/**
 * `≈ 3,100 of 12,400 evaluations an hour`; nothing where nothing was evaluated.
 * @param share per cent of those who come as far as a rollout
 * @param isAtMost others decide for some before it
 */
export function affectedWords(
  total: number,
  share: number | undefined,
  isAtMost: boolean,
): string | undefined {
  if (total === 0) return undefined;
  if (share === undefined) return `≈ ${number(total)} evaluations an hour`;
  const some = Math.round((total * share) / 100);
  return `${isAtMost ? 'At most ≈' : '≈'} ${number(some)} of ${number(total)} evaluations an hour`;
}
