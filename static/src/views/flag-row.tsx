import type { FlagTableCell, FlagTableRow } from '../api/flags.js';
import { asksFirst } from '../state/environments.js';
import { news, pending, toggleFlag } from '../state/flag-table.js';
import { cannotWrite } from '../state/health.js';
import { isAtLeast, user } from '../state/session.js';
import { tableUsage } from '../state/table-usage.js';
import { cellSummary } from '../state/wording.js';
import { Badge, Copy, Time } from '../widgets/small.js';
import { Sparkline } from '../widgets/sparkline.js';
import { Switch } from '../widgets/switch.js';
import { shownEnvironments } from './column-picker.js';
import { type AskedToggle } from './toggle-dialog.js';

interface RowProps {
  readonly row: FlagTableRow;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
  readonly onAsk: (toggle: AskedToggle) => void;
  readonly onTag: (term: string) => void;
}

/** One flag: what it is, what it does in each environment, and who changed it last. */
export function Row({ row, isSelected, onSelect, onAsk, onTag }: RowProps) {
  const by = news.value.get(row.key);
  const change = row.last_change;
  const cells = new Map(row.environments.map((cell) => [cell.environment_key, cell]));
  return (
    <tr
      class={[by ? 'news' : '', isSelected ? 'selected' : ''].join(' ').trim() || undefined}
      data-flag={row.key}
    >
      {isAtLeast('developer') && (
        <td class="select-column">
          <input type="checkbox" aria-label={`Select ${row.key}`} checked={isSelected} onChange={onSelect} />
        </td>
      )}
      <th scope="row" class="flag-cell">
        <span class="flag-key">
          <a href={`/app/flags/${row.key}`} title={row.key}>
            {row.key}
          </a>
          <Copy text={row.key} label={`Copy ${row.key}`} />
        </span>
        <span class="flag-about">
          {row.name !== row.key && <span class="flag-name">{row.name}</span>}
          {(row.tags.length > 0 || row.stale || row.archived_at || row.value_type !== 'boolean') && (
            <span class="tags">
              {row.archived_at && <Badge tone="warn">archived</Badge>}
              {row.stale && (
                <span title="Nobody has changed it for 30 days, and everybody gets the same. It may be ready to go.">
                  <Badge tone="warn">stale</Badge>
                </span>
              )}
              {row.value_type !== 'boolean' && <Badge tone="accent">{row.value_type}</Badge>}
              {row.tags.map((tag) => (
                <button
                  key={tag}
                  type="button"
                  class="tag"
                  onClick={() => onTag(/\s/.test(tag) ? `#"${tag}"` : `#${tag}`)}
                >
                  {tag}
                </button>
              ))}
            </span>
          )}
        </span>
      </th>
      {shownEnvironments.value.map((environment) => {
        const cell = cells.get(environment.key);
        return (
          <td
            key={environment.key}
            class={environment.protected ? 'cell protected' : 'cell'}
            data-label={environment.name}
          >
            {cell ? (
              <Cell row={row} cell={cell} onAsk={onAsk} environment={environment} />
            ) : (
              <span class="muted">not here</span>
            )}
          </td>
        );
      })}
      <UsageCell flagKey={row.key} />
      <td class="changed" data-label="Changed">
        {change && (
          <span>
            <Time at={change.at} />
            <span class="muted by" title={change.by}>
              {change.by === user.value?.email ? 'you' : change.by}
            </span>
          </span>
        )}
      </td>
    </tr>
  );
}

/** Where it matters how much a flag is used: the last environment that is protected, or the last of all that are shown. */
export const watchedEnvironment = () =>
  shownEnvironments.value.findLast((each) => each.protected) ?? shownEnvironments.value.at(-1);

function UsageCell({ flagKey }: { flagKey: string }) {
  const environment = watchedEnvironment();
  if (!environment) return null;
  const { value } = tableUsage;
  return (
    <td class="usage-cell" data-label={`${environment.name}, 24 h`}>
      <Sparkline usage={value?.environment === environment.key ? value.byKey.get(flagKey) : undefined} />
    </td>
  );
}

interface CellProps {
  readonly row: FlagTableRow;
  readonly cell: FlagTableCell;
  readonly environment: { key: string; name: string; protected: boolean };
  readonly onAsk: (toggle: AskedToggle) => void;
}

function Cell({ row, cell, environment, onAsk }: CellProps) {
  const mayChange =
    isAtLeast(environment.protected ? 'admin' : 'developer') &&
    cannotWrite.value === undefined &&
    row.archived_at === null;
  return (
    <span class="cell-content">
      <Switch
        label={`${row.key} in ${environment.name}`}
        isOn={cell.is_enabled && row.archived_at === null}
        disabled={!mayChange}
        describedBy="why-not"
        busy={pending.value.has(`${row.key} ${environment.key}`)}
        onToggle={() => {
          const toggle = {
            key: row.key,
            environment: environment.key,
            isEnabled: !cell.is_enabled,
            version: cell.version,
          };
          if (asksFirst(environment.key))
            onAsk({ ...toggle, summary: cellSummary(cell), name: environment.name });
          else void toggleFlag(toggle);
        }}
      />
      <a
        class={cell.is_enabled ? 'summary' : 'summary muted'}
        href={`/app/flags/${row.key}?env=${environment.key}`}
        tabIndex={-1}
      >
        {cell.is_enabled ? cellSummary(cell) : 'off'}
      </a>
    </span>
  );
}
