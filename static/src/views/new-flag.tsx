import { useState } from 'preact/hooks';
import { createFlag, type ValueType, type Variant } from '../api/flags.js';
import { ApiProblem, sentenceOf } from '../api/problem.js';
import { environments } from '../state/environments.js';
import { isAtLeast, user } from '../state/session.js';
import { Button } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { Dialog } from '../widgets/dialog.js';
import { Field } from '../widgets/field.js';
import { Notice } from '../widgets/small.js';

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
  const [problem, setProblem] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const all = environments.value ?? [];
  const mine = all.filter((environment) => isAtLeast(environment.protected ? 'admin' : 'developer'));
  const theKey = key ?? keyFrom(name);
  const errorOf = (path: string): string | undefined =>
    problem instanceof ApiProblem ? problem.errors.find((error) => error.path === path)?.message : undefined;
  const isPlaced = ['key', 'name'].some((path) => errorOf(path) !== undefined);

  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    const definition = {
      key: theKey,
      name,
      value_type: type,
      owner: user.value?.email ?? null,
      ...(description === '' ? {} : { description }),
      ...(tags.length > 0 ? { tags: [...tags] } : {}),
      ...(type === 'boolean' ? {} : { variants: [...STARTS[type]] }),
    };
    try {
      // In all environments at once where that is allowed; else in each that is.
      if (mine.length === all.length) await createFlag(definition);
      else for (const { key: environment_key } of mine) await createFlag({ ...definition, environment_key });
      onMade(theKey, mine[0]?.key ?? '');
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };

  return (
    <Dialog title="New flag" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) void submit();
        }}
      >
        {problem !== undefined && !isPlaced && (
          <Notice tone="bad" role="alert">
            {sentenceOf(problem)}
          </Notice>
        )}
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
        <p class="hint">
          It begins off{' '}
          {mine.length === all.length
            ? 'in every environment'
            : `in ${mine.map((each) => each.name).join(' and ')}`}
          . Nobody notices until you turn it on.
        </p>
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            tone="primary"
            writes
            busy={isBusy}
            disabled={theKey === '' || name.trim() === ''}
          >
            Create flag
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
