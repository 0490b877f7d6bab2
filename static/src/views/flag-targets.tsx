import type { FlagEditor } from '../state/flag-editor.js';
import type { TargetDraft } from '../state/flag-draft.js';
import { plural } from '../state/wording.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { Field } from '../widgets/field.js';

/** The users who are listed for one variant. */
export function TargetList({
  variant,
  targets,
  editor,
}: {
  variant: string;
  targets: readonly TargetDraft[];
  editor: FlagEditor;
}) {
  const target = targets.find((each) => each.variant === variant);
  if (target?.keys === null)
    return (
      <p>
        <code>{variant}</code>: {plural(target.count, 'user')}, too many to edit here. The API adds and
        removes them.
      </p>
    );
  const keys = target?.keys ?? [];
  const write = (next: readonly string[]): void => {
    const others = targets.map((each) =>
      // Somebody is in one list only.
      each.variant === variant || each.keys === null
        ? each
        : { ...each, keys: each.keys.filter((key) => !next.includes(key)) },
    );
    const sorted = [...next].sort();
    const mine: TargetDraft = { variant, keys: sorted, count: sorted.length };
    const changed = target
      ? others.map((each) => (each.variant === variant ? mine : each))
      : [...others, mine];
    const order = editor.draft.value?.variants.map(({ key }) => key) ?? [];
    editor.edit({
      targets: changed
        .filter((each) => each.keys === null || each.keys.length > 0)
        .map((each) => (each.keys === null ? each : { ...each, count: each.keys.length }))
        .sort((a, b) => order.indexOf(a.variant) - order.indexOf(b.variant)),
    });
  };
  return (
    <div class="target">
      <Field
        label={
          <>
            Get <code>{variant}</code>{' '}
            {keys.length > 0 && <span class="muted">{plural(keys.length, 'user')}</span>}
          </>
        }
      >
        <ChipsInput
          values={keys}
          onChange={write}
          label={`users who get ${variant}`}
          placeholder="User ids; paste a list"
        />
      </Field>
    </div>
  );
}
