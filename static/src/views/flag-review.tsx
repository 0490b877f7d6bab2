import { useSignal } from '@preact/signals';
import { describeChanges, draftFrom as pickDraft, fieldWords, SHARED_FIELDS } from '../state/flag-draft.js';
import type { FlagEditor } from '../state/flag-editor.js';
import { plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ConfirmChange } from '../widgets/confirm-change.js';
import { Dialog } from '../widgets/dialog.js';
import { JsonDiff } from '../widgets/diff.js';
import { Notice } from '../widgets/small.js';

/** What would be saved, in sentences and as JSON. */
export function ReviewDialog({
  editor,
  isSaving,
  typed,
  isReasoned,
  mayTurnOn,
  name,
  onClose,
  onSave,
}: {
  editor: FlagEditor;
  isSaving: boolean;
  typed: string | undefined;
  isReasoned: boolean;
  /** Whether it is off, and could be turned on by the same change. */
  mayTurnOn: boolean;
  /** The environment's. */
  name: string;
  onClose: () => void;
  onSave: (
    consent: { reason?: string | undefined; confirm?: string | undefined },
    isTurnedOn: boolean,
  ) => void;
}) {
  const isTurnedOn = useSignal(false);
  const { base, draft, changes } = { base: editor.base, draft: editor.draft.value, changes: editor.changes };
  if (!base || !draft) return null;
  const pick = (from: typeof base): unknown =>
    Object.fromEntries(changes.map((field) => [field, from[field]]));
  const shared = changes.filter((field) => SHARED_FIELDS.includes(field));
  const content = (
    <>
      <Sentences of={describeChanges(base, draft)} />
      {shared.length > 0 && (
        <Notice>This is the same in every environment, and changes everywhere: {fieldWords(shared)}.</Notice>
      )}
      <details open={!isSaving}>
        <summary>As JSON</summary>
        <div class="details-body">
          <JsonDiff before={pick(base)} after={pick(draft)} />
        </div>
      </details>
    </>
  );
  if (!isSaving)
    return (
      <Dialog title="Changes" onClose={onClose} size="wide">
        {content}
      </Dialog>
    );
  return (
    <ConfirmChange
      title={`Save ${plural(changes.length, 'change')}?`}
      verb={isTurnedOn.value ? 'Save and turn on' : 'Save'}
      wide
      typed={typed}
      isReasoned={isReasoned}
      busy={editor.isSaving.value}
      onClose={onClose}
      onConfirm={(consent) => onSave(consent, isTurnedOn.value)}
    >
      {content}
      {mayTurnOn && (
        <label class="check">
          <input
            type="checkbox"
            checked={isTurnedOn.value}
            onChange={(event) => (isTurnedOn.value = event.currentTarget.checked)}
          />
          It is off in {name}: turn it on, too
        </label>
      )}
    </ConfirmChange>
  );
}

function Sentences({ of: sentences }: { of: readonly string[] }) {
  return (
    <ul class="sentences">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

const MOST_TOLD = 3;

/** Somebody else saved the flag meanwhile: what they changed, and what to do about it. */
export function ConflictNotice({ editor }: { editor: FlagEditor }) {
  const isOpen = useSignal(false);
  const { value: conflict } = editor.conflict;
  const { base, changes } = editor;
  if (!conflict || !base) return null;
  const theirs = describeChanges(base, { ...base, ...pickDraft(conflict.theirs) });
  const mine = editor.draft.value ? describeChanges(base, editor.draft.value) : [];
  const both = changes.filter(
    (field) => JSON.stringify(base[field]) !== JSON.stringify(pickDraft(conflict.theirs)[field]),
  );
  return (
    <Notice tone="warn" role="alert">
      <p>
        <strong>{conflict.by}</strong> saved version {conflict.theirs.version} while you edit version{' '}
        {editor.flag.value?.version}. Nothing of yours is lost.
      </p>
      <ul>
        {theirs.slice(0, MOST_TOLD).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
        {theirs.length > MOST_TOLD && <li>and {theirs.length - MOST_TOLD} more</li>}
      </ul>
      {both.length > 0 && <p>You changed {fieldWords(both)}, too.</p>}
      <div class="row">
        <Button small onClick={() => (isOpen.value = true)}>
          Compare
        </Button>
        <Button small onClick={() => editor.keepMine()}>
          Keep mine
        </Button>
        <Button small onClick={() => editor.takeTheirs()}>
          Take theirs
        </Button>
      </div>
      {isOpen.value && (
        <Dialog title={`What ${conflict.by} changed`} size="wide" onClose={() => (isOpen.value = false)}>
          <Sentences of={theirs} />
          {mine.length > 0 && (
            <>
              <h3>What you changed, and have not saved</h3>
              <Sentences of={mine} />
            </>
          )}
          {both.length > 0 ? (
            <Notice tone="warn">
              You both changed {fieldWords(both)}. Keeping yours replaces theirs there, once you save.
            </Notice>
          ) : (
            <Notice tone="good">You changed other things. Keeping yours keeps theirs too.</Notice>
          )}
          <details>
            <summary>Theirs as JSON</summary>
            <div class="details-body">
              <JsonDiff before={base} after={pickDraft(conflict.theirs)} />
            </div>
          </details>
          <p class="muted">Taking theirs drops what you changed.</p>
          <div class="actions">
            <Button onClick={() => editor.takeTheirs()}>Take theirs</Button>
            <Button tone="primary" onClick={() => editor.keepMine()}>
              Keep mine
            </Button>
          </div>
        </Dialog>
      )}
    </Notice>
  );
}
