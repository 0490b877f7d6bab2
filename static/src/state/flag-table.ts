import { signal } from '@preact/signals';
import type { Activity } from '../api/activity.js';
import {
  readFlagTable,
  updateFlag,
  type Consent,
  type FlagTableCell,
  type FlagTableQuery,
  type FlagTableRow,
} from '../api/flags.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { isProtected } from './environments.js';
import { parseFlagSearch } from './flag-search.js';
import { isOwn, missed, onActivity } from './live.js';
import { user } from './session.js';
import { toast } from './toasts.js';

export const PAGE = 50;

interface Table {
  readonly rows: readonly FlagTableRow[];
  readonly total: number;
}

/** What is shown; `undefined` until it was read for the first time. */
export const table = signal<Table | undefined>(undefined);
export const tableError = signal<unknown>(undefined);
export const isTableLoading = signal(false);
/** Flags that somebody else has just changed, by key: who did. */
export const news = signal<ReadonlyMap<string, string>>(new Map());
/** Cells whose change is under way, as `flag environment`. */
export const pending = signal<ReadonlySet<string>>(new Set());

let asked: FlagTableQuery | undefined;
let turn = 0;

/** @param search as it was typed */
export function tableQuery(search: string, skip: number, sort: 'key' | 'changed'): FlagTableQuery {
  const { text, tags, owner, valueType, on, off, isStale, archived } = parseFlagSearch(
    search,
    user.value?.email,
  );
  return {
    ...(text === '' ? {} : { q: text }),
    ...(tags.length > 0 ? { tag: [...tags] } : {}),
    ...(owner === undefined ? {} : { owner }),
    ...(valueType === undefined ? {} : { value_type: valueType }),
    ...(on.length > 0 ? { on: [...on] } : {}),
    ...(off.length > 0 ? { off: [...off] } : {}),
    ...(isStale === undefined ? {} : { stale: isStale ? 'true' : 'false' }),
    archived,
    sort,
    skip,
    limit: PAGE,
  };
}

/** Reads a page. What was shown stays until it is here; an answer that was overtaken is dropped. */
export async function loadTable(query: FlagTableQuery): Promise<void> {
  asked = query;
  const mine = (turn += 1);
  isTableLoading.value = true;
  try {
    const { items, total } = await readFlagTable(query);
    if (mine !== turn) return;
    table.value = { rows: items, total };
    tableError.value = undefined;
  } catch (error) {
    if (mine !== turn) return;
    tableError.value = error;
    if (error instanceof ApiProblem && error.isOutage) missed();
  } finally {
    if (mine === turn) isTableLoading.value = false;
  }
}

export async function reloadTable(): Promise<void> {
  if (asked) await loadTable(asked);
}

/** Reads some rows of those that are shown anew. */
export async function reloadRows(keys: readonly string[]): Promise<void> {
  const shown = keys.filter((key) => table.value?.rows.some((row) => row.key === key));
  if (shown.length === 0) return;
  const { items } = await readFlagTable({ key: shown, archived: 'any', limit: 200 });
  const fresh = new Map(items.map((row) => [row.key, row]));
  replaceRows((row) => {
    const read = fresh.get(row.key);
    return read ? newer(row, read) : row;
  });
}

/** A row that was read, but for what has moved on since it was asked for. */
function newer(shown: FlagTableRow, read: FlagTableRow): FlagTableRow {
  const cells = new Map(shown.environments.map((cell) => [cell.environment_key, cell]));
  return {
    ...read,
    environments: read.environments.map((cell) => {
      const mine = cells.get(cell.environment_key);
      const isOvertaken =
        mine !== undefined &&
        (mine.version > cell.version || pending.value.has(cellId(read.key, cell.environment_key)));
      return isOvertaken ? mine : cell;
    }),
  };
}

function replaceRows(change: (row: FlagTableRow) => FlagTableRow): void {
  const { value } = table;
  if (value) table.value = { ...value, rows: value.rows.map(change) };
}

function patchCell(key: string, environment: string, change: Partial<FlagTableCell>): void {
  replaceRows((row) =>
    row.key === key
      ? {
          ...row,
          environments: row.environments.map((cell) =>
            cell.environment_key === environment ? { ...cell, ...change } : cell,
          ),
        }
      : row,
  );
}

const cellId = (key: string, environment: string): string => `${key} ${environment}`;

function setPending(id: string, isPending: boolean): void {
  const next = new Set(pending.value);
  if (isPending) next.add(id);
  else next.delete(id);
  pending.value = next;
}

export interface Toggle {
  readonly key: string;
  readonly environment: string;
  readonly isEnabled: boolean;
  /** The version that the person saw; whatever it is now when absent. */
  readonly version: number | undefined;
}

/**
 * Turns a flag on or off: shown at once, taken back when it fails. Offers to undo it, or to try again.
 * @returns whether it was done
 */
export async function toggleFlag(
  { key, environment, isEnabled, version }: Toggle,
  consent: Consent = {},
): Promise<boolean> {
  const id = cellId(key, environment);
  const state = isEnabled ? 'on' : 'off';
  patchCell(key, environment, { is_enabled: isEnabled });
  setPending(id, true);
  try {
    const flag = await updateFlag(key, environment, { is_enabled: isEnabled }, version, consent);
    patchCell(key, environment, {
      is_enabled: flag.is_enabled,
      version: flag.version,
      updated_at: flag.updated_at,
    });
    replaceRows((row) =>
      row.key === key
        ? {
            ...row,
            last_change: {
              at: flag.updated_at,
              by: user.value?.email ?? '',
              action: 'updated',
              environment_key: environment,
            },
          }
        : row,
    );
    const undo: Toggle = { key, environment, isEnabled: !isEnabled, version: flag.version };
    // Taking back what was just meant asks for nothing to be typed.
    const meant = isProtected(environment) ? { confirm: key, reason: 'Undo' } : { reason: 'Undo' };
    toast(`${key} is ${state} in ${environment}`, {
      action: { label: 'Undo', run: () => void toggleFlag(undo, meant) },
    });
    return true;
  } catch (error) {
    patchCell(key, environment, { is_enabled: !isEnabled });
    await explainFailure(error, { key, environment, isEnabled, version }, consent);
    return false;
  } finally {
    setPending(id, false);
  }
}

async function explainFailure(error: unknown, change: Toggle, consent: Consent): Promise<void> {
  const { key, environment, isEnabled } = change;
  if (error instanceof ApiProblem && error.isStale) {
    await reloadRows([key]).catch(() => undefined);
    const by = table.value?.rows.find((row) => row.key === key)?.last_change?.by ?? 'Somebody';
    toast(`${by} changed ${key} meanwhile. It is shown as it is now; nothing of yours was applied.`, {
      tone: 'bad',
    });
    return;
  }
  const retry = { label: 'Try again', run: () => void toggleFlag(change, consent) };
  toast(`${key} was not turned ${isEnabled ? 'on' : 'off'} in ${environment}. ${sentenceOf(error)}`, {
    tone: 'bad',
    ...(error instanceof ApiProblem && error.isOutage ? { action: retry } : {}),
  });
}

const FLASH_MS = 4_000;

function announce({ entity_key: key, actor }: Activity): void {
  news.value = new Map([...news.value, [key, actor.name]]);
  setTimeout(() => {
    const rest = new Map(news.value);
    rest.delete(key);
    news.value = rest;
  }, FLASH_MS);
}

/** Keeps what is shown as it is in the service. @returns stops that */
export function followTable(): () => void {
  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let needsAll = false;
  const flush = (): void => {
    timer = undefined;
    const keys = [...changed];
    changed.clear();
    const isAll = needsAll;
    needsAll = false;
    void (isAll ? reloadTable() : reloadRows(keys)).catch(missed);
  };
  const stop = onActivity({
    onChange: (activity) => {
      if (activity.entity_type === 'environment') needsAll = true;
      else if (activity.entity_type !== 'flag') return;
      else if (activity.action === 'created' || activity.action === 'deleted') needsAll = true;
      else {
        if (isOwn(activity)) return;
        changed.add(activity.entity_key);
        announce(activity);
      }
      // Many at once, as a bulk change makes, are read together.
      timer ??= setTimeout(flush, 60);
    },
    onResync: () => void reloadTable(),
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
