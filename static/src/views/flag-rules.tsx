import { useState } from 'preact/hooks';
import { attributesIn, groupSentence, type ConditionGroup } from '../state/conditions.js';
import { serveWords, type FlagDraft, type RuleDraft } from '../state/flag-draft.js';
import type { FlagEditor } from '../state/flag-editor.js';
import { Button, IconButton } from '../widgets/button.js';
import { Field } from '../widgets/field.js';
import { Icon } from '../widgets/icon.js';
import { lazy } from '../widgets/lazy.js';
import { ServeEditor } from '../widgets/serve-editor.js';
import { Badge } from '../widgets/small.js';
import type { Nameable } from '../widgets/use-segments.js';

const ConditionEditor = lazy(async () => (await import('../widgets/condition-editor.js')).ConditionEditor);
const SampleMatches = lazy(async () => (await import('../widgets/sample-matches.js')).SampleMatches, null);
const SamplesButton = lazy(async () => (await import('../widgets/sample-matches.js')).SamplesButton, null);

interface RulesProps {
  readonly editor: FlagEditor;
  readonly draft: FlagDraft;
  readonly rules: readonly RuleDraft[];
  readonly nameable: Nameable;
  readonly environment: string;
  readonly isBoolean: boolean;
  readonly mayEdit: boolean;
}

/** The rules in their order, each with what it asks and what it serves. */
export function Rules({ editor, draft, rules, nameable, environment, isBoolean, mayEdit }: RulesProps) {
  const [openId, setOpenId] = useState<string>();
  const [dragged, setDragged] = useState<number>();
  const write = (next: readonly RuleDraft[]): void => editor.edit({ rules: next });
  const move = (from: number, to: number): void => {
    const next = [...rules];
    const [rule] = next.splice(from, 1);
    if (rule) next.splice(to, 0, rule);
    write(next);
  };
  const attributes = [...rules.flatMap(({ conditions }) => attributesIn(conditions)), ...nameable.attributes];
  const add = (): void => {
    const id = freshId();
    const conditions: ConditionGroup = {
      all: [{ attribute: '', operator: 'in', values: [], negate: false }],
    };
    const variant =
      (isBoolean ? draft.variants.find(({ value }) => value === true) : draft.variants[0])?.key ?? '';
    write([...rules, { id, name: null, conditions, serve: { variant } }]);
    setOpenId(id);
  };
  return (
    <>
      <ol class="rules">
        {rules.map((rule, index) => {
          const isOpen = openId === rule.id;
          const replace = (change: Partial<RuleDraft>): void =>
            write(rules.map((each) => (each.id === rule.id ? { ...each, ...change } : each)));
          const name = rule.name ?? `Rule ${index + 1}`;
          return (
            <li
              key={rule.id}
              class={dragged === index ? 'rule dragged' : 'rule'}
              onDragOver={(event) => {
                if (dragged !== undefined) event.preventDefault();
              }}
              onDrop={(event) => {
                event.preventDefault();
                if (dragged !== undefined && dragged !== index) move(dragged, index);
                setDragged(undefined);
              }}
            >
              <div class="rule-head">
                {mayEdit && (
                  <span
                    class="handle"
                    draggable
                    aria-hidden="true"
                    title="Drag to move"
                    onDragStart={(event) => {
                      // Firefox drags only what carries something.
                      event.dataTransfer?.setData('text/plain', name);
                      setDragged(index);
                    }}
                    onDragEnd={() => setDragged(undefined)}
                  >
                    <Icon name="drag" />
                  </span>
                )}
                <Badge>{index + 1}</Badge>
                <button
                  type="button"
                  class="rule-name"
                  aria-expanded={isOpen}
                  onClick={() => setOpenId(isOpen ? undefined : rule.id)}
                >
                  <span class="rule-words">
                    {rule.name && <strong>{rule.name}: </strong>}
                    if {groupSentence(rule.conditions)}
                  </span>
                  <span class="muted">
                    serve {serveWords(rule.serve, draft.off_variant)}
                    {mayEdit && <span class="rule-edit">{isOpen ? 'Close' : 'Edit'}</span>}
                  </span>
                  <SampleMatches environment={environment} group={rule.conditions} />
                </button>
                <IconButton
                  label={`Move ${name} up`}
                  data-move
                  icon="up"
                  disabled={index === 0}
                  onClick={(event) => {
                    move(index, index - 1);
                    keepFocus(event.currentTarget);
                  }}
                />
                <IconButton
                  label={`Move ${name} down`}
                  data-move
                  icon="down"
                  disabled={index === rules.length - 1}
                  onClick={(event) => {
                    move(index, index + 1);
                    keepFocus(event.currentTarget);
                  }}
                />
                <IconButton
                  label={`Remove ${name}`}
                  icon="trash"
                  onClick={() => write(rules.filter((each) => each.id !== rule.id))}
                />
              </div>
              {isOpen && (
                <div class="rule-body stack">
                  <Field label="Name (optional)">
                    <input
                      type="text"
                      maxLength={200}
                      value={rule.name ?? ''}
                      placeholder="Paying customers"
                      onInput={({ currentTarget: { value } }) =>
                        replace({ name: value === '' ? null : value })
                      }
                    />
                  </Field>
                  <div>
                    <h3>If</h3>
                    <ConditionEditor
                      group={rule.conditions}
                      segments={nameable.segments}
                      environment={environment}
                      attributes={attributes}
                      onChange={(conditions) => replace({ conditions })}
                    />
                  </div>
                  <div>
                    <h3>Serve</h3>
                    <ServeEditor
                      label={name}
                      serve={rule.serve}
                      variants={draft.variants}
                      isBoolean={isBoolean}
                      off={draft.off_variant}
                      onChange={(serve) => replace({ serve })}
                    />
                  </div>
                </div>
              )}
            </li>
          );
        })}
      </ol>
      {rules.length === 0 && (
        <p class="muted rules-none">No rule: everyone who is not listed comes to the next step.</p>
      )}
      <div class="row">
        <Button small icon="plus" onClick={add}>
          Rule
        </Button>
        {rules.length > 0 && <SamplesButton />}
      </div>
    </>
  );
}

/** Who moves a rule goes on with that rule: also when it was moved in the page, and when it can go no further. */
function keepFocus(button: HTMLButtonElement): void {
  setTimeout(() => {
    const moves = button.parentElement?.querySelectorAll<HTMLButtonElement>('[data-move]:enabled') ?? [];
    (button.disabled ? moves[0] : button)?.focus();
  });
}

const freshId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
