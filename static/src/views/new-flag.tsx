import { useState } from 'preact/hooks';
import { createFlag, type ValueType, type Variant } from '../api/flags.js';
import { environments } from '../state/environments.js';
import { isAtLeast, user } from '../state/session.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { Field } from '../widgets/field.js';
import { FormDialog } from '../widgets/form-dialog.js';
import { ReasonField } from '../widgets/reason-field.js';

const STARTS: Record<Exclude<ValueType, 'boolean'>, readonly Variant[]> = {
  string: [
    { key: 'control', value: 'control' },
    { key: 'treatment', value: 'treatment' },
  ],
  number: [
    { key: 'low', value: 1 },
    { key: 'high', value: 2 },
  ],
  json: [
    { key: 'first', value: {} },
    { key: 'second', value: {} },
  ],
};

const TYPES: readonly (readonly [ValueType, string])[] = [
  ['boolean', 'On or off'],
  ['string', 'Text'],
  ['number', 'Number'],
  ['json', 'JSON'],
];

/** `New checkout!` → `new-checkout` */
export const keyFrom = (name: string): string =>
  name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 100);

/** Makes a flag, in every environment that its maker may change. */
export function NewFlag({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (key: string, environment: string) => void;
}) {
  const [name, setName] = useState('');
  const [key, setKey] = useState<string>();
  const [type, setType] = useState<ValueType>('boolean');
  const [tags, setTags] = useState<readonly string[]>([]);
  const [description, setDescription] = useState('');
  const all = environments.value ?? [];
  const mine = all.filter((environment) => isAtLeast(environment.protected ? 'admin' : 'developer'));
  const [reason, setReason] = useState('');
  const isReasoned = mine.some((each) => each.require_reason);
  const theKey = key ?? keyFrom(name);
  const submit = async (): Promise<void> => {
    const definition = {
      key: theKey,
      name,
      value_type: type,
      owner: user.value?.email ?? null,
      ...(description === '' ? {} : { description }),
      ...(tags.length > 0 ? { tags: [...tags] } : {}),
      ...(isReasoned ? { reason: reason.trim() } : {}),
      ...(type === 'boolean' ? {} : { variants: [...STARTS[type]] }),
    };
    // In all environments at once where that is allowed; else in each that is.
    if (mine.length === all.length) await createFlag(definition);
    else for (const { key: environment_key } of mine) await createFlag({ ...definition, environment_key });
    onMade(theKey, mine[0]?.key ?? '');
  };

  return (
    <FormDialog
      title="New flag"
      verb="Create flag"
      isReady={theKey !== '' && name.trim() !== '' && (!isReasoned || reason.trim() !== '')}
      placed={['key', 'name']}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <>
          <Field label="Name" error={errorOf('name')}>
            <input
              type="text"
              value={name}
              required
              autoFocus
              maxLength={200}
              placeholder="New checkout"
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </Field>
          <Field label="Key" hint="What your code asks for. It never changes." error={errorOf('key')}>
            <input
              type="text"
              class="mono"
              value={theKey}
              required
              maxLength={100}
              pattern="[a-z0-9][a-z0-9._\-]*"
              title="Lower-case letters, digits, dots, dashes and underscores; a letter or digit first"
              spellcheck={false}
              autocomplete="off"
              autocapitalize="off"
              onInput={(event) => setKey(event.currentTarget.value)}
            />
          </Field>
          <fieldset class="choice">
            <legend>What it gives</legend>
            {TYPES.map(([value, label]) => (
              <label key={value}>
                <input
                  type="radio"
                  name="type"
                  value={value}
                  checked={type === value}
                  onChange={() => setType(value)}
                />
                <span>{label}</span>
              </label>
            ))}
          </fieldset>
          <Field label="Tags (optional)">
            <ChipsInput values={tags} onChange={setTags} label="Tags" />
          </Field>
          <Field label="Description (optional)">
            <textarea
              rows={2}
              maxLength={1000}
              value={description}
              onInput={(event) => setDescription(event.currentTarget.value)}
            />
          </Field>
          {isReasoned && <ReasonField value={reason} onInput={setReason} />}
          <p class="hint">
            It begins off{' '}
            {mine.length === all.length
              ? 'in every environment'
              : `in ${mine.map((each) => each.name).join(' and ')}`}
            . Nobody notices until you turn it on.
          </p>
        </>
      )}
    </FormDialog>
  );
}
