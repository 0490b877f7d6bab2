import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { navigate, place, setQuery } from '../router.js';
import { environments } from '../state/environments.js';
import { parseFlagSearch, toggleTerm } from '../state/flag-search.js';
import {
  followTable,
  isTableLoading,
  loadTable,
  PAGE,
  reloadTable,
  table,
  tableError,
  tableQuery,
} from '../state/flag-table.js';
import { cannotWrite } from '../state/health.js';
import { isAtLeast, user } from '../state/session.js';
import { followTableUsage } from '../state/table-usage.js';
import { onKey } from '../state/shortcuts.js';
import { plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { Icon } from '../widgets/icon.js';
import { CodeBlock, Empty, EnvironmentName, Failure, PageHead, Pager, Skeleton } from '../widgets/small.js';
import { useAsked } from '../widgets/use-asked.js';
import { BulkBar } from './bulk-bar.js';
import { ColumnPicker, shownEnvironments } from './column-picker.js';
import { NewFlag } from './new-flag.js';
import { ToggleDialog, type AskedToggle } from './toggle-dialog.js';
import { Row, watchedEnvironment } from './flag-row.js';

const TYPING_MS = 120;

/** All flags, and what each does in every environment. */
export function Flags() {
  const search = place.value.query.get('q') ?? '';
  const skip = Math.max(0, Number(place.value.query.get('skip') ?? 0) || 0);
  const sort = place.value.query.get('sort') === 'changed' ? 'changed' : 'key';
  const [isNew, setNew] = useAsked('new');
  const asked = useSignal<AskedToggle | undefined>(undefined);
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const box = useRef<HTMLInputElement>(null);
  const body = useRef<HTMLDivElement>(null);

  useEffect(() => {
    void loadTable(tableQuery(search, skip, sort));
  }, [search, skip, sort, user.value?.email]);
  useEffect(followTable, []);
  const watched = watchedEnvironment();
  useEffect(() => (watched ? followTableUsage(watched.key) : undefined), [watched?.key]);
  useLayoutEffect(() => onKey((key) => useRowKey(key, box.current, body.current, selected)), []);
  useSignalEffect(() => {
    // What is not shown any more cannot be meant.
    const shown = new Set(table.value?.rows.map(({ key }) => key));
    if ([...selected.peek()].some((key) => !shown.has(key)))
      selected.value = new Set([...selected.peek()].filter((key) => shown.has(key)));
  });

  const columns = shownEnvironments.value;
  const { problems } = parseFlagSearch(search);
  const { value: shown } = table;
  const mayEdit = isAtLeast('developer');
  return (
    <>
      <PageHead
        title="Flags"
        hint={shown ? (search ? `${plural(shown.total, 'flag')} found` : plural(shown.total, 'flag')) : ' '}
      >
        <SearchBox search={search} input={box} problems={problems} />
        <ColumnPicker />
        <Button
          tone="primary"
          icon="plus"
          writes
          disabled={!mayEdit}
          title={mayEdit ? undefined : 'Viewers cannot make flags'}
          onClick={() => setNew(true)}
        >
          New flag
        </Button>
      </PageHead>
      <span id="why-not" class="hidden">
        {!mayEdit
          ? 'Viewers cannot change flags.'
          : (cannotWrite.value ?? 'Only admins change this environment.')}
      </span>
      {tableError.value !== undefined && !shown ? (
        <Failure error={tableError.value} onRetry={() => void reloadTable()} />
      ) : !shown ? (
        <Skeleton rows={10} label="Loading flags" />
      ) : shown.rows.length === 0 ? (
        <NoFlags search={search} onNew={() => setNew(true)} />
      ) : (
        <div class="flag-table" ref={body} aria-busy={isTableLoading.value}>
          <table class={`columns-${columns.length}`}>
            <caption class="hidden">Flags and what each does in every environment</caption>
            <thead>
              <tr>
                {mayEdit && (
                  <th class="select-column">
                    <input
                      type="checkbox"
                      aria-label="Select all flags on this page"
                      checked={selected.value.size > 0 && selected.value.size === shown.rows.length}
                      onChange={(event) =>
                        (selected.value = new Set(
                          event.currentTarget.checked ? shown.rows.map(({ key }) => key) : [],
                        ))
                      }
                    />
                  </th>
                )}
                <th scope="col" aria-sort={sort === 'key' ? 'ascending' : undefined}>
                  <button
                    type="button"
                    class="sort"
                    onClick={() => setQuery({ sort: undefined, skip: undefined })}
                  >
                    Flag {sort === 'key' && <Icon name="down" size={12} />}
                  </button>
                </th>
                {columns.map((environment) => (
                  <th
                    key={environment.key}
                    scope="col"
                    class={environment.protected ? 'protected' : undefined}
                  >
                    <EnvironmentName
                      name={environment.name}
                      position={environment.position}
                      locked={environment.protected}
                    />
                  </th>
                ))}
                {watched && (
                  <th scope="col" class="usage-cell">
                    {watched.name}, 24&nbsp;h
                  </th>
                )}
                <th scope="col" class="changed" aria-sort={sort === 'changed' ? 'descending' : undefined}>
                  <button
                    type="button"
                    class="sort"
                    onClick={() => setQuery({ sort: 'changed', skip: undefined })}
                  >
                    Changed {sort === 'changed' && <Icon name="down" size={12} />}
                  </button>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.rows.map((row) => (
                <Row
                  key={row.key}
                  row={row}
                  isSelected={selected.value.has(row.key)}
                  onSelect={() => {
                    const next = new Set(selected.value);
                    if (!next.delete(row.key)) next.add(row.key);
                    selected.value = next;
                  }}
                  onAsk={(toggle) => (asked.value = toggle)}
                  onTag={(tag) => setQuery({ q: toggleTerm(search, tag), skip: undefined })}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown && (
        <Pager
          skip={skip}
          limit={PAGE}
          total={shown.total}
          onMove={(to) => setQuery({ skip: to === 0 ? undefined : String(to) }, { replace: false })}
        />
      )}
      {selected.value.size > 0 && shown && (
        <BulkBar
          rows={shown.rows.filter(({ key }) => selected.value.has(key))}
          onDone={() => (selected.value = new Set())}
        />
      )}
      {asked.value && <ToggleDialog asked={asked.value} onClose={() => (asked.value = undefined)} />}
      {isNew && mayEdit && (
        <NewFlag
          onClose={() => setNew(false)}
          onMade={(flag, environment) => navigate(`/flags/${flag}?env=${environment}`)}
        />
      )}
    </>
  );
}

function SearchBox({
  search,
  input,
  problems,
}: {
  search: string;
  input: { current: HTMLInputElement | null };
  problems: readonly string[];
}) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    // The address may change by itself; what is being typed stays.
    if (input.current && document.activeElement !== input.current) input.current.value = search;
  }, [search]);
  return (
    <div class="search">
      <label class="hidden" for="flag-search">
        Search flags
      </label>
      <Icon name="search" />
      <input
        ref={input}
        id="flag-search"
        type="search"
        placeholder="Search key, name, #tag, is:stale"
        defaultValue={search}
        spellcheck={false}
        aria-describedby={problems.length > 0 ? 'search-problems' : 'search-help'}
        onInput={({ currentTarget: { value } }) => {
          clearTimeout(timer.current);
          timer.current = setTimeout(() => setQuery({ q: value, skip: undefined }), TYPING_MS);
        }}
      />
      <kbd aria-hidden="true">/</kbd>
      <p id="search-help" class="hidden">
        Words are looked for in key, name and description. #tag, owner:me, type:json, is:stale, is:archived,
        is:on@production and is:off@staging narrow it down.
      </p>
      {problems.length > 0 && (
        <p id="search-problems" class="search-problems" role="status">
          {problems.join('. ')}
        </p>
      )}
    </div>
  );
}

function NoFlags({ search, onNew }: { search: string; onNew: () => void }) {
  if (search !== '')
    return (
      <Empty title="No flag fits">
        <p class="muted">
          Try fewer words. <code>#tag</code>, <code>owner:me</code>, <code>is:stale</code> and{' '}
          <code>is:on@production</code> narrow a search down.
        </p>
        <p>
          <Button onClick={() => setQuery({ q: undefined, skip: undefined })}>Show all flags</Button>
        </p>
      </Empty>
    );
  const [environment] = environments.value ?? [];
  return (
    <Empty title="Your first flag">
      <p class="muted">
        A flag decides, for each user, what they get. Make one here, then ask for it from your code.
      </p>
      <p>
        <Button tone="primary" icon="plus" writes onClick={onNew} disabled={!isAtLeast('developer')}>
          Make a flag
        </Button>
      </p>
      <CodeBlock
        label="the request"
        text={`curl "${location.origin}/evaluate/new-checkout?environment_key=${environment?.key ?? 'development'}&user_id=alice"`}
      />
    </Empty>
  );
}

/** `j` and `k` walk the rows, `x` selects, `e` opens, `/` searches. */
function useRowKey(
  key: string,
  box: HTMLInputElement | null,
  body: HTMLElement | null,
  selected: { value: ReadonlySet<string> },
): boolean {
  if (key === '/') {
    box?.focus();
    return true;
  }
  const rows = [...(body?.querySelectorAll<HTMLElement>('tbody tr') ?? [])];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const flag = rows[at]?.dataset['flag'];
  if (key === 'j' || key === 'k') {
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + (key === 'j' ? 1 : -1)))];
    next?.querySelector<HTMLElement>('.flag-key a')?.focus();
    return next !== undefined;
  }
  if (flag === undefined) return false;
  if (key === 'x' && isAtLeast('developer')) {
    const next = new Set(selected.value);
    if (!next.delete(flag)) next.add(flag);
    selected.value = next;
    return true;
  }
  if (key !== 'e') return false;
  navigate(`/flags/${flag}`);
  return true;
}
