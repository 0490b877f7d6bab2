import type { Segment } from '../api/segments.js';
import { groupSentence, newCondition, writeGroup } from '../state/conditions.js';
import type { SegmentDraft } from '../state/segment-draft.js';
import { plural } from '../state/wording.js';
import { Button } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { ConditionEditor } from '../widgets/condition-editor.js';
import { Field } from '../widgets/field.js';
import { useSegments } from '../widgets/use-segments.js';

/** What a segment is called and who is in it, in the order in which that is decided. */
export function SegmentForm({
  segment,
  draft,
  mayEdit,
  onEdit: edit,
}: {
  segment: Segment;
  draft: SegmentDraft;
  mayEdit: boolean;
  onEdit: (change: Partial<SegmentDraft>) => void;
}) {
  const { key, environment_key: environment } = segment;
  const { segments, attributes } = useSegments(environment);
  return (
    <fieldset class="plain" disabled={!mayEdit}>
      <legend class="hidden">Segment</legend>
      <section class="panel step">
        <div>
          <h2>About</h2>
        </div>
        <div class="stack">
          <Field label="Name">
            <input
              type="text"
              required
              maxLength={200}
              value={draft.name}
              onInput={(event) => edit({ name: event.currentTarget.value })}
            />
          </Field>
          <Field label="Description">
            <textarea
              rows={2}
              maxLength={1000}
              value={draft.description ?? ''}
              onInput={({ currentTarget: { value } }) => edit({ description: value === '' ? null : value })}
            />
          </Field>
        </div>
      </section>
      <KeyList
        title="Always in it"
        hint="These users, whatever the conditions say."
        keys={draft.included}
        count={segment.included_count}
        onChange={(included) => edit({ included })}
      />
      <KeyList
        title="Never in it"
        hint="These users are not, whatever else is said."
        keys={draft.excluded}
        count={segment.excluded_count}
        onChange={(excluded) => edit({ excluded })}
      />
      <section class="panel step">
        <div>
          <h2>Who else</h2>
          <p class="muted">
            {draft.conditions ? `Everyone for whom ${groupSentence(draft.conditions)}.` : 'Nobody.'}
          </p>
        </div>
        <div>
          {draft.conditions ? (
            <ConditionEditor
              group={draft.conditions}
              segments={segments.filter((each) => each !== key)}
              environment={environment}
              attributes={attributes}
              onChange={(conditions) => edit({ conditions })}
              onRemove={() => edit({ conditions: null })}
            />
          ) : (
            <Button
              small
              icon="plus"
              onClick={() => edit({ conditions: writeGroup('all', [newCondition()]) })}
            >
              Conditions
            </Button>
          )}
        </div>
      </section>
    </fieldset>
  );
}

function KeyList({
  title,
  hint,
  keys,
  count,
  onChange,
}: {
  title: string;
  hint: string;
  keys: readonly string[] | null;
  count: number;
  onChange: (keys: readonly string[]) => void;
}) {
  return (
    <section class="panel step">
      <div>
        <h2>{title}</h2>
        <p class="muted">{hint}</p>
      </div>
      <div>
        {keys === null ? (
          <p>{plural(count, 'user')}: too many to edit here. The API adds and removes them.</p>
        ) : (
          <Field label={`${title}: users`} hideLabel>
            <ChipsInput
              values={keys}
              label={title}
              placeholder="User ids; paste a list"
              onChange={(next) => onChange([...next].sort())}
            />
          </Field>
        )}
      </div>
    </section>
  );
}
