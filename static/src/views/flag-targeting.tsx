import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Flag } from '../api/flags.js';
import { readFlagTable } from '../api/flags.js';
import { listSegments } from '../api/segments.js';
import { attributesIn, groupSentence, type ConditionGroup } from '../state/conditions.js';
import type { FlagEditor } from '../state/flag-editor.js';
import { serveWords, type FlagDraft, type RuleDraft, type TargetDraft } from '../state/flag-draft.js';
import { movedShare, type ServeDraft } from '../state/rollout.js';
import { percent, plural } from '../state/wording.js';
import { Button, IconButton } from '../widgets/button.js';
import { ChipsInput } from '../widgets/chips-input.js';
import { ConditionEditor } from '../widgets/condition-editor.js';
import { Field } from '../widgets/field.js';
import { Icon } from '../widgets/icon.js';
import { lazy } from '../widgets/lazy.js';
import { Badge, Notice } from '../widgets/small.js';
import { ServeEditor } from '../widgets/serve-editor.js';

const FlagAffected = lazy(async () => (await import('./flag-affected.js')).FlagAffected, null);
const SampleMatches = lazy(async () => (await import('../widgets/sample-matches.js')).SampleMatches, null);
const SamplesButton = lazy(async () => (await import('../widgets/sample-matches.js')).SamplesButton, null);

interface Props {
  readonly editor: FlagEditor;
  readonly flag: Flag;
  readonly draft: FlagDraft;
  readonly mayEdit: boolean;
}

/** Who gets what in one environment, in the order in which it is decided. */
export function FlagTargetingPanels({ editor, flag, draft, mayEdit }: Props) {
  const segments = useSegmentKeys(flag.environment_key);
  const isBoolean = flag.value_type === 'boolean';
  const serve = draft.default_serve;
  return (
    <fieldset class="plain" disabled={!mayEdit}>
      <legend class="hidden">Targeting</legend>
      <Panel
        step={1}
        title="Prerequisites"
        hint="Other flags that must be on and serve one of some variants; else the off variant is served."
      >
        <Prerequisites editor={editor} draft={draft} flag={flag} />
      </Panel>
      <Panel step={2} title="Listed users" hint="They get their variant whatever the rules say.">
        {draft.targets === null ? (
          <Unreadable />
        ) : (
          draft.variants.map(({ key }) => (
            <TargetList key={key} variant={key} targets={draft.targets ?? []} editor={editor} />
          ))
        )}
      </Panel>
      <Panel step={3} title="Rules" hint="In order. The first that matches decides.">
        {draft.rules === null ? (
          <Unreadable />
        ) : (
          <Rules
            editor={editor}
            draft={draft}
            rules={draft.rules}
            segments={segments}
            environment={flag.environment_key}
            isBoolean={isBoolean}
            mayEdit={mayEdit}
          />
        )}
      </Panel>
      <Panel
        step={4}
        title="Everyone else"
        hint={serve === null ? undefined : sentence(serveWords(serve, draft.off_variant))}
      >
        {serve === null ? (
          <Unreadable />
        ) : (
          <div class="stack">
            <ServeEditor
              label="Everyone else"
              serve={serve}
              variants={draft.variants}
              isBoolean={isBoolean}
              off={draft.off_variant}
              onChange={(default_serve) => editor.edit({ default_serve })}
            />
            <Moves flag={flag} draft={draft} serve={serve} />
          </div>
        )}
      </Panel>
      <Panel
        step={5}
        title="While it is off"
        hint="The off variant. Whoever is outside of a rollout gets it too, and everyone while a prerequisite fails."
      >
        <Field label="Off variant" hideLabel>
          <select
            value={draft.off_variant ?? ''}
            onChange={({ currentTarget: { value } }) =>
              editor.edit({ off_variant: value === '' ? null : value })
            }
          >
            <option value="">Nothing: the caller's default</option>
            {draft.variants.map(({ key }) => (
              <option key={key} value={key}>
                {key}
              </option>
            ))}
          </select>
        </Field>
      </Panel>
    </fieldset>
  );
}

const sentence = (text: string): string => `Serve ${text}.`;

function Panel({
  step,
  title,
  hint,
  children,
}: {
  step: number;
  title: string;
  hint?: string | undefined;
  children: ComponentChildren;
}) {
  return (
    <section class="panel step" aria-labelledby={`step-${step}`}>
      <div class="panel-head">
        <div>
          <h2 id={`step-${step}`}>{title}</h2>
          {hint && <p class="muted">{hint}</p>}
        </div>
      </div>
      <div>{children}</div>
    </section>
  );
}

const Unreadable = () => (
  <Notice tone="warn">
    A newer version of Vexil wrote this, and this one cannot read it. It stays as it is.
  </Notice>
);

/** Who would notice a changed serve, of all who come as far as here. */
function Moves({ flag, draft, serve }: { flag: Flag; draft: FlagDraft; serve: ServeDraft }) {
  if (flag.default_serve === null) return null;
  const moved = movedShare(flag.default_serve, serve, flag.off_variant, draft.off_variant);
  if (moved === 0) return <FlagAffected flag={flag} />;
  return (
    <Notice icon="users" role="status">
      {moved === undefined
        ? 'This places everyone anew: anybody may get something else than before.'
        : `${percent(moved)} of those who come as far as here would get something else than now. Nobody else moves.`}
      <FlagAffected flag={flag} share={moved} />
    </Notice>
  );
}

function TargetList({
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

function Prerequisites({ editor, draft, flag }: { editor: FlagEditor; draft: FlagDraft; flag: Flag }) {
  const [others, setOthers] = useState<readonly { key: string; variants: readonly string[] }[]>([]);
  useEffect(() => {
    readFlagTable({ limit: 200 }).then(
      ({ items }) =>
        setOthers(
          items
            .filter(({ key }) => key !== flag.key)
            .map(({ key, variants }) => ({ key, variants: variants.map((variant) => variant.key) })),
        ),
      () => undefined,
    );
  }, [flag.key]);
  if (draft.prerequisites === null) return <Unreadable />;
  const list = draft.prerequisites as readonly { flag_key: string; variants: string[] }[];
  const write = (next: typeof list): void =>
    editor.edit({ prerequisites: [...next] as FlagDraft['prerequisites'] });
  return (
    <div class="stack">
      {list.map((prerequisite, index) => (
        <div key={index} class="condition">
          <input
            type="text"
            class="mono"
            aria-label="Flag"
            placeholder="flag key"
            list="other-flags"
            value={prerequisite.flag_key}
            spellcheck={false}
            onInput={({ currentTarget: { value } }) => {
              const known = others.find(({ key }) => key === value);
              write(
                list.map((each, at) =>
                  at === index
                    ? { flag_key: value, variants: known ? known.variants.slice(0, 1) : each.variants }
                    : each,
                ),
              );
            }}
          />
          <span class="condition-word">serves one of</span>
          <ChipsInput
            label="Variants"
            aria-label="Variants"
            values={prerequisite.variants}
            placeholder="variants"
            onChange={(variants) =>
              write(list.map((each, at) => (at === index ? { ...each, variants: [...variants] } : each)))
            }
          />
          <IconButton
            label="Remove this prerequisite"
            icon="trash"
            onClick={() => write(list.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <datalist id="other-flags">
        {others.map(({ key }) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      <div class="row">
        <Button small icon="plus" onClick={() => write([...list, { flag_key: '', variants: [] }])}>
          Prerequisite
        </Button>
      </div>
    </div>
  );
}

interface RulesProps {
  readonly editor: FlagEditor;
  readonly draft: FlagDraft;
  readonly rules: readonly RuleDraft[];
  readonly segments: readonly string[];
  readonly environment: string;
  readonly isBoolean: boolean;
  readonly mayEdit: boolean;
}

function Rules({ editor, draft, rules, segments, environment, isBoolean, mayEdit }: RulesProps) {
  const [openId, setOpenId] = useState<string>();
  const [dragged, setDragged] = useState<number>();
  const write = (next: readonly RuleDraft[]): void => editor.edit({ rules: next });
  const move = (from: number, to: number): void => {
    const next = [...rules];
    const [rule] = next.splice(from, 1);
    if (rule) next.splice(to, 0, rule);
    write(next);
  };
  const attributes = [
    ...new Set(['user_id', ...rules.flatMap(({ conditions }) => attributesIn(conditions))].filter(Boolean)),
  ];
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
                    onDragStart={() => setDragged(index)}
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
                  <span class="muted">serve {serveWords(rule.serve, draft.off_variant)}</span>
                  <SampleMatches environment={environment} group={rule.conditions} />
                </button>
                <IconButton
                  label={`Move ${name} up`}
                  icon="up"
                  disabled={index === 0}
                  onClick={() => move(index, index - 1)}
                />
                <IconButton
                  label={`Move ${name} down`}
                  icon="down"
                  disabled={index === rules.length - 1}
                  onClick={() => move(index, index + 1)}
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
                      segments={segments}
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

const freshId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

function useSegmentKeys(environment: string): readonly string[] {
  const [keys, setKeys] = useState<readonly string[]>([]);
  useEffect(() => {
    listSegments({ environment_key: environment, skip: 0, limit: 1000 }).then(
      ({ items }) => setKeys(items.map(({ key }) => key)),
      () => undefined,
    );
  }, [environment]);
  return keys;
}
