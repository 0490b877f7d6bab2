import { useId } from 'preact/hooks';
import {
  GROUPS,
  isGroup,
  newCondition,
  OPERATORS,
  readGroup,
  withOperator,
  writeGroup,
  type Condition,
  type ConditionGroup,
  type GroupKind,
  type Node,
  type Operator,
  type Value,
} from '../state/conditions.js';
import { samples } from '../state/samples.js';
import { Button, IconButton } from './button.js';
import { ChipsInput } from './chips-input.js';
import { lazy } from './lazy.js';
import { TypedInput } from './typed-input.js';

const PatternTest = lazy(async () => (await import('./pattern-test.js')).PatternTest, null);

interface Surroundings {
  /** Keys of the segments that may be named. */
  readonly segments: readonly string[];
  /** Attributes that other conditions speak of. */
  readonly attributes: readonly string[];
  readonly environment: string;
}

const KINDS: Readonly<Record<GroupKind, string>> = {
  all: 'All of these hold',
  any: 'Any of these holds',
  none: 'None of these holds',
  'not all': 'Not all of these hold',
};
const DEEPEST = 4;

/** Conditions in groups within groups. */
export function ConditionEditor({
  group,
  onChange,
  onRemove,
  depth = 0,
  ...surroundings
}: Surroundings & {
  group: ConditionGroup;
  onChange: (group: ConditionGroup) => void;
  onRemove?: () => void;
  depth?: number;
}) {
  const { kind, items } = readGroup(group);
  const write = (next: readonly Node[]): void => onChange(writeGroup(kind, next));
  const replace = (index: number, node: Node): void =>
    write(items.map((item, at) => (at === index ? node : item)));
  const remove = (index: number): void => write(items.filter((_, at) => at !== index));
  return (
    <div class="group" role="group" aria-label={KINDS[kind]}>
      <div class="group-head">
        <select
          aria-label="How the conditions belong together"
          value={kind}
          onChange={(event) => onChange(writeGroup(event.currentTarget.value as GroupKind, items))}
        >
          {Object.entries(KINDS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        {onRemove && <IconButton label="Remove this group" icon="trash" onClick={onRemove} />}
      </div>
      {items.length === 0 && (
        <p class="hint">{kind === 'all' ? 'No condition: everyone.' : 'No condition yet.'}</p>
      )}
      {items.map((item, index) =>
        isGroup(item) ? (
          <ConditionEditor
            key={index}
            group={item}
            depth={depth + 1}
            onChange={(node) => replace(index, node)}
            onRemove={() => remove(index)}
            {...surroundings}
          />
        ) : (
          <ConditionRow
            key={index}
            condition={item}
            onChange={(node) => replace(index, node)}
            onRemove={() => remove(index)}
            {...surroundings}
          />
        ),
      )}
      <div class="row">
        <Button small icon="plus" onClick={() => write([...items, newCondition()])}>
          Condition
        </Button>
        {depth < DEEPEST && (
          <Button
            small
            tone="quiet"
            icon="plus"
            onClick={() => write([...items, writeGroup('any', [newCondition()])])}
          >
            Group
          </Button>
        )}
      </div>
    </div>
  );
}

function ConditionRow({
  condition,
  onChange,
  onRemove,
  segments,
  attributes,
  environment,
}: Surroundings & { condition: Condition; onChange: (condition: Condition) => void; onRemove: () => void }) {
  const list = useId();
  const words = OPERATORS[condition.operator];
  const isSegment = words.values === 'segments';
  const known = new Set([
    'user_id',
    ...attributes,
    ...samples.value.flatMap((sample) => Object.keys(sample)),
  ]);
  // It has been written already.
  known.delete(condition.attribute);
  known.delete('');
  return (
    <div class="condition">
      {isSegment ? (
        <span class="condition-subject">User</span>
      ) : (
        <>
          <input
            type="text"
            class="mono"
            aria-label="Attribute"
            placeholder="attribute"
            list={list}
            value={condition.attribute}
            spellcheck={false}
            autocapitalize="off"
            autocomplete="off"
            maxLength={100}
            onInput={(event) => onChange({ ...condition, attribute: event.currentTarget.value })}
          />
          <datalist id={list}>
            {[...known].sort().map((attribute) => (
              <option key={attribute} value={attribute} />
            ))}
          </datalist>
        </>
      )}
      <select
        aria-label="Operator"
        value={`${condition.negate ? '!' : ''}${condition.operator}`}
        onChange={({ currentTarget: { value } }) =>
          onChange(withOperator(condition, value.replace('!', '') as Operator, value.startsWith('!')))
        }
      >
        {GROUPS.map(([label, operators]) => (
          <optgroup key={label} label={label}>
            {operators.flatMap((operator) => [
              <option key={operator} value={operator}>
                {OPERATORS[operator].is}
              </option>,
              <option key={`!${operator}`} value={`!${operator}`}>
                {OPERATORS[operator].isNot}
              </option>,
            ])}
          </optgroup>
        ))}
      </select>
      <Values
        condition={condition}
        segments={segments}
        onChange={(values) => onChange({ ...condition, values })}
      />
      <IconButton label="Remove this condition" icon="trash" onClick={onRemove} />
      {words.hasCase && (
        <label class="check condition-case">
          <input
            type="checkbox"
            checked={condition.case_insensitive ?? false}
            onChange={(event) => {
              const { case_insensitive: _, ...rest } = condition;
              onChange(event.currentTarget.checked ? { ...rest, case_insensitive: true } : rest);
            }}
          />
          Ignore case
        </label>
      )}
      {condition.operator === 'matches' && <PatternTest condition={condition} environment={environment} />}
    </div>
  );
}

/** What a text stands for: types are strict, so `12` and `"12"` are different values. */
const KINDS_OF_VALUES = { string: 'Text', number: 'Number', boolean: 'True or false' } as const;
type KindOfValue = keyof typeof KINDS_OF_VALUES;

const convert = (kind: KindOfValue, text: string): Value | undefined => {
  if (kind === 'string') return text;
  if (kind === 'number')
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
  return /^(true|yes)$/i.test(text) ? true : /^(false|no)$/i.test(text) ? false : undefined;
};

function Values({
  condition,
  segments,
  onChange,
}: {
  condition: Condition;
  segments: readonly string[];
  onChange: (values: Value[]) => void;
}) {
  const { values, operator } = condition;
  const { values: wanted } = OPERATORS[operator];
  const write = (index: number, value: Value): void =>
    onChange(values.with(Math.min(index, values.length - 1), value));
  const moment = (
    <TypedInput
      type="text"
      aria-label="Moment"
      placeholder="2026-11-21T09:30:00Z"
      value={String(values[0] ?? '')}
      onDone={(text) => onChange([text])}
    />
  );
  const amount = (label: string, index: number, scale = 1) => (
    <TypedInput
      type="number"
      step="any"
      aria-label={label}
      value={Number(values[index]) / scale}
      onDone={(text) => write(index, Math.round(Number(text) * scale * 1e9) / 1e9)}
    />
  );
  switch (wanted) {
    case 'nothing':
      return <span />;
    case 'numbers':
      return amount('Number', 0);
    case 'two numbers':
      return (
        <span class="pair">
          {amount('From', 0)} {amount('To', 1)}
        </span>
      );
    case 'buckets':
      return (
        <span class="pair">
          {amount('From %', 0, 100)} {amount('To %', 1, 100)}
        </span>
      );
    case 'moment':
      return moment;
    case 'segments':
      return (
        <select
          aria-label="Segment"
          value={String(values[0] ?? '')}
          onChange={(event) => onChange([event.currentTarget.value])}
        >
          <option value="" disabled>
            {segments.length === 0 ? 'There is no segment yet' : 'Choose a segment'}
          </option>
          {[...new Set([...segments, ...values.map(String)])].filter(Boolean).map((key) => (
            <option key={key} value={key}>
              {key}
            </option>
          ))}
        </select>
      );
    default: {
      const kind = (wanted === 'any' ? typeof (values[0] ?? '') : 'string') as KindOfValue;
      return (
        <span class="values">
          <ChipsInput
            label="Values"
            aria-label="Values"
            values={values.map(String)}
            placeholder={
              wanted === 'networks' ? '10.0.0.0/8' : wanted === 'versions' ? '1.2.3' : 'Values; paste a list'
            }
            onChange={(texts) => onChange(texts.flatMap((text) => convert(kind, text) ?? []))}
          />
          {wanted === 'any' && (
            <select
              aria-label="Type of the values"
              value={kind}
              onChange={({ currentTarget: { value: next } }) => {
                const converted = values.flatMap((each) => convert(next as KindOfValue, String(each)) ?? []);
                onChange(
                  converted.length > 0
                    ? converted
                    : next === 'boolean'
                      ? [true]
                      : next === 'number'
                        ? [0]
                        : [],
                );
              }}
            >
              {Object.entries(KINDS_OF_VALUES).map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </span>
      );
    }
  }
}
