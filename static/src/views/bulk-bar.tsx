import { useState } from 'preact/hooks';
import { updateFlag, type Consent, type FlagTableRow, type FlagUpdate } from '../api/flags.js';
import { BATCH, nameRequest } from '../api/own-requests.js';
import { sentenceOf } from '../api/problem.js';
import { navigate } from '../router.js';
import { environments, isReasoned, isReasonedAnywhere } from '../state/environments.js';
import { reloadTable } from '../state/flag-table.js';
import { isAtLeast } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { ConfirmChange } from '../widgets/confirm-change.js';
import { Field } from '../widgets/field.js';

type Deed = 'enable' | 'disable' | 'tag' | 'archive';

const VERBS: Record<Deed, string> = {
  enable: 'Turn on',
  disable: 'Turn off',
  tag: 'Tag',
  archive: 'Archive',
};

/** What can be done to all flags that are selected. */
export function BulkBar({ rows, onDone }: { rows: readonly FlagTableRow[]; onDone: () => void }) {
  const [deed, setDeed] = useState<Deed>();
  return (
    <div class="save-bar" role="region" aria-label="Selected flags">
      <strong>{plural(rows.length, 'flag')} selected</strong>
      <span class="spacer" />
      {(Object.keys(VERBS) as Deed[]).map((each) => (
        <Button
          key={each}
          small
          tone={each === 'archive' ? 'danger' : undefined}
          onClick={() => setDeed(each)}
        >
          {VERBS[each]}…
        </Button>
      ))}
      <Button small tone="quiet" onClick={onDone}>
        Clear
      </Button>
      {deed && (
        <BulkDialog
          deed={deed}
          rows={rows}
          onClose={(isDone) => {
            setDeed(undefined);
            if (isDone) onDone();
          }}
        />
      )}
    </div>
  );
}

function BulkDialog({
  deed,
  rows,
  onClose,
}: {
  deed: Deed;
  rows: readonly FlagTableRow[];
  onClose: (isDone: boolean) => void;
}) {
  const all = environments.value ?? [];
  const open = all.filter((each) => isAtLeast(each.protected ? 'admin' : 'developer'));
  const [where, setWhere] = useState(open[0]?.key ?? '');
  const [tags, setTags] = useState<readonly string[]>([]);
  const [progress, setProgress] = useState<number>();
  const [failures, setFailures] = useState<readonly string[]>([]);
  const isHere = deed === 'enable' || deed === 'disable';
  const locked = all.some((each) => each.protected && (deed === 'archive' || (isHere && each.key === where)));
  const affected = isHere
    ? rows.filter((row) =>
        row.environments.some(
          (cell) => cell.environment_key === where && cell.is_enabled !== (deed === 'enable'),
        ),
      )
    : rows;

  const changeOf = (row: FlagTableRow): FlagUpdate => {
    if (deed === 'archive') return { archived: true };
    if (deed === 'tag') return { tags: [...new Set([...row.tags, ...tags])] };
    return { is_enabled: deed === 'enable' };
  };

  const run = async ({ reason }: Consent): Promise<void> => {
    const failed: string[] = [];
    const batch = nameRequest(BATCH);
    for (const [index, row] of affected.entries()) {
      setProgress(index);
      const cell = isHere
        ? row.environments.find(({ environment_key: key }) => key === where)
        : (row.environments.find(({ environment_key: key }) => open.some((each) => each.key === key)) ??
          row.environments[0]);
      if (!cell) continue;
      try {
        await updateFlag(
          row.key,
          cell.environment_key,
          changeOf(row),
          isHere ? cell.version : undefined,
          {
            reason: reason || `${VERBS[deed]}: ${plural(affected.length, 'flag')} together`,
            ...(locked ? { confirm: row.key } : {}),
          },
          batch,
        );
      } catch (error) {
        failed.push(`${row.key}: ${sentenceOf(error)}`);
      }
    }
    setProgress(undefined);
    await reloadTable();
    const done = affected.length - failed.length;
    if (done > 0)
      toast(`${plural(done, 'flag')} changed`, {
        action: { label: 'Show in the log', run: () => navigate(`/audit?batch=${batch}`) },
      });
    if (failed.length === 0) onClose(true);
    else setFailures(failed);
  };

  const wanted =
    deed === 'tag' && tags.length === 0
      ? 'Say which tags.'
      : affected.length === 0
        ? 'Nothing would change.'
        : undefined;
  return (
    <ConfirmChange
      title={`${VERBS[deed]} ${plural(rows.length, 'flag')}?`}
      verb={progress === undefined ? VERBS[deed] : `${progress} of ${affected.length}…`}
      tone={deed === 'archive' || deed === 'disable' ? 'danger' : 'primary'}
      typed={locked && affected.length > 0 ? plural(affected.length, 'flag') : undefined}
      isReasoned={isHere ? isReasoned(where) : isReasonedAnywhere()}
      busy={progress !== undefined || wanted !== undefined}
      onClose={() => onClose(false)}
      onConfirm={(consent) => void run(consent)}
    >
      {isHere && (
        <Field label="Environment">
          <select value={where} onChange={(event) => setWhere(event.currentTarget.value)}>
            {open.map(({ key, name }) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </select>
        </Field>
      )}
      {deed === 'tag' && (
        <Field label="Tags to add">
          <ChipsInput values={tags} onChange={setTags} label="Tags" />
        </Field>
      )}
      {deed === 'archive' && (
        <p>Archived flags are off everywhere and left out of lists. They can be brought back.</p>
      )}
      <p class="muted">
        {wanted ??
          `${plural(affected.length, 'flag')} would change: ${affected
            .slice(0, 8)
            .map(({ key }) => key)
            .join(', ')}${affected.length > 8 ? '…' : ''}`}
      </p>
      {failures.length > 0 && (
        <div class="notice bad" role="alert">
          <div>
            <p>{plural(failures.length, 'flag')} could not be changed:</p>
            <ul>
              {failures.map((failure) => (
                <li key={failure}>{failure}</li>
              ))}
            </ul>
          </div>
        </div>
      )}
    </ConfirmChange>
  );
}
