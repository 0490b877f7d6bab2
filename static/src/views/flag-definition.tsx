import { useSignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { deleteFlag, updateFlag, type Consent, type Flag, type Variant } from '../api/flags.js';
import { sentenceOf } from '../api/problem.js';
import { navigate } from '../router.js';
import { environmentOf, environments, isReasoned, isReasonedAnywhere } from '../state/environments.js';
import type { FlagDraft } from '../state/flag-draft.js';
import type { FlagEditor } from '../state/flag-editor.js';
import { isAtLeast } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { Button, IconButton } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { ConfirmChange } from '../widgets/confirm-change.js';
import { Field } from '../widgets/field.js';
import { Badge } from '../widgets/small.js';
import { TypedInput } from '../widgets/typed-input.js';

/** Of a value as JSON, that are seen without scrolling in it. */
const MOST_LINES = 20;

interface Props {
  readonly editor: FlagEditor;
  readonly flag: Flag;
  readonly draft: FlagDraft;
  readonly mayEdit: boolean;
  readonly role: 'admin' | 'developer';
}

/** What a flag is in every environment: its name and what it can give. */
export function FlagDefinitionPanel({ editor, flag, draft, mayEdit, role }: Props) {
  const asked = useSignal<'archive' | 'delete' | undefined>(undefined);
  const [problem, setProblem] = useState<string>();
  const isAnyProtected = (environments.value ?? []).some((each) => each.protected);
  const isArchived = flag.archived_at !== null;
  const mayEnd = isAtLeast(isAnyProtected ? 'admin' : role);

  const archive = async (consent: Consent): Promise<void> => {
    try {
      editor.accept(
        await updateFlag(flag.key, flag.environment_key, { archived: !isArchived }, flag.version, consent),
      );
      asked.value = undefined;
      toast(`${flag.key} is ${isArchived ? 'back' : 'archived'}`);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const remove = async (consent: Consent): Promise<void> => {
    try {
      await deleteFlag(flag.key, flag.environment_key, flag.version, consent);
      editor.discard();
      toast(`${flag.key} is deleted from ${flag.environment_key}`);
      navigate('/flags');
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };

  return (
    <>
      <fieldset class="plain" disabled={!mayEdit}>
        <legend class="hidden">Definition</legend>
        <section class="panel step">
          <div>
            <h2>About</h2>
            <p class="muted">The same in every environment.</p>
          </div>
          <div class="stack">
            <Field label="Name">
              <input
                type="text"
                required
                maxLength={200}
                value={draft.name}
                onInput={(event) => editor.edit({ name: event.currentTarget.value })}
              />
            </Field>
            <Field label="Description">
              <textarea
                rows={3}
                maxLength={1000}
                value={draft.description ?? ''}
                onInput={({ currentTarget: { value } }) =>
                  editor.edit({ description: value === '' ? null : value })
                }
              />
            </Field>
            <Field label="Tags">
              <ChipsInput
                values={draft.tags}
                label="Tags"
                onChange={(tags) => editor.edit({ tags: [...tags].sort() })}
              />
            </Field>
            <Field label="Owner" hint="A person or a team. owner:me finds yours.">
              <input
                type="text"
                maxLength={254}
                value={draft.owner ?? ''}
                onInput={({ currentTarget: { value } }) =>
                  editor.edit({ owner: value === '' ? null : value })
                }
              />
            </Field>
            <label class="check">
              <input
                type="checkbox"
                checked={draft.client_visible}
                onChange={(event) => editor.edit({ client_visible: event.currentTarget.checked })}
              />
              Client keys (browsers, apps) may ask for it
            </label>
          </div>
        </section>
        <section class="panel step">
          <div>
            <h2>Variants</h2>
            <p class="muted">
              What it can give: <Badge tone="accent">{flag.value_type}</Badge>
            </p>
          </div>
          <Variants flag={flag} draft={draft} editor={editor} />
        </section>
      </fieldset>
      <section class="panel step">
        <div>
          <h2>The end of a flag</h2>
          <p class="muted">
            {isArchived
              ? 'It is off everywhere and left out of lists. It can be brought back.'
              : 'An archived flag is off everywhere and left out of lists. Deleting takes it out of one environment; its history stays.'}
          </p>
        </div>
        <div class="row">
          <Button
            disabled={!mayEnd}
            title={mayEnd ? undefined : 'For admins'}
            onClick={() => (asked.value = 'archive')}
          >
            {isArchived ? 'Bring it back…' : 'Archive…'}
          </Button>
          <Button
            tone="danger"
            icon="trash"
            disabled={!isAtLeast('admin')}
            title={isAtLeast('admin') ? undefined : 'For admins'}
            onClick={() => (asked.value = 'delete')}
          >
            Delete from {environmentOf(flag.environment_key)?.name ?? flag.environment_key}…
          </Button>
        </div>
      </section>
      {asked.value && (
        <ConfirmChange
          title={
            asked.value === 'delete'
              ? `Delete ${flag.key} from ${flag.environment_key}?`
              : isArchived
                ? `Bring ${flag.key} back?`
                : `Archive ${flag.key}?`
          }
          verb={asked.value === 'delete' ? 'Delete' : isArchived ? 'Bring back' : 'Archive'}
          tone={asked.value === 'archive' && isArchived ? 'primary' : 'danger'}
          typed={asked.value === 'delete' || isAnyProtected ? flag.key : undefined}
          isReasoned={asked.value === 'delete' ? isReasoned(flag.environment_key) : isReasonedAnywhere()}
          error={problem}
          onClose={() => {
            asked.value = undefined;
            setProblem(undefined);
          }}
          onConfirm={(consent) => void (asked.value === 'delete' ? remove(consent) : archive(consent))}
        >
          <p>
            {asked.value === 'delete'
              ? "Whoever asks for it there gets the caller's default, at once. This cannot be undone."
              : isArchived
                ? 'It does again what it did before.'
                : 'Everyone gets the off variant, in every environment, at once.'}
          </p>
        </ConfirmChange>
      )}
    </>
  );
}

function Variants({ flag, draft, editor }: { flag: Flag; draft: FlagDraft; editor: FlagEditor }) {
  const write = (variants: readonly Variant[]): void => editor.edit({ variants });
  const replace = (index: number, change: Partial<Variant>): void =>
    write(draft.variants.map((each, at) => (at === index ? { ...each, ...change } : each)));
  const fresh = { boolean: false, string: '', number: 0, json: {} }[flag.value_type];
  return (
    <div class="stack">
      {draft.variants.map((variant, index) => (
        <div key={index} class="variant">
          <Field label="Key">
            <input
              type="text"
              class="mono"
              required
              maxLength={100}
              spellcheck={false}
              value={variant.key}
              onInput={(event) => replace(index, { key: event.currentTarget.value })}
            />
          </Field>
          <ValueEditor
            type={flag.value_type}
            value={variant.value}
            onChange={(value) => replace(index, { value })}
          />
          <IconButton
            label={`Remove variant ${variant.key}`}
            icon="trash"
            disabled={draft.variants.length === 1}
            onClick={() => write(draft.variants.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <div class="row">
        <Button small icon="plus" onClick={() => write([...draft.variants, { key: '', value: fresh }])}>
          Variant
        </Button>
      </div>
    </div>
  );
}

function ValueEditor({
  type,
  value,
  onChange,
}: {
  type: Flag['value_type'];
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const [text, setText] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  switch (type) {
    case 'boolean':
      return (
        <Field label="Value">
          <select value={String(value)} onChange={(event) => onChange(event.currentTarget.value === 'true')}>
            <option value="true">true</option>
            <option value="false">false</option>
          </select>
        </Field>
      );
    case 'string':
      return (
        <Field label="Value">
          <input type="text" value={String(value)} onInput={(event) => onChange(event.currentTarget.value)} />
        </Field>
      );
    case 'number':
      return (
        <Field label="Value">
          <TypedInput
            type="number"
            step="any"
            required
            value={Number(value)}
            onDone={(typed) => {
              if (typed !== '') onChange(Number(typed));
            }}
          />
        </Field>
      );
    case 'json': {
      const shown = text ?? JSON.stringify(value, null, 2);
      return (
        <Field label="Value" error={wrong}>
          <textarea
            class="mono"
            rows={Math.min(MOST_LINES, Math.max(4, shown.split('\n').length))}
            spellcheck={false}
            value={shown}
            onInput={({ currentTarget: { value: typed } }) => {
              setText(typed);
              try {
                onChange(JSON.parse(typed));
                setWrong(undefined);
              } catch (error) {
                setWrong(`This is no JSON yet: ${error instanceof Error ? error.message : ''}`);
              }
            }}
            onBlur={() => {
              if (wrong === undefined) setText(undefined);
            }}
          />
        </Field>
      );
    }
  }
}
