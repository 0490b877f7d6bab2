import type { ComponentChildren } from 'preact';
import type { ConditionTrace, FlagTrace as Steps, NodeTrace, RolloutTrace } from '../../../src/core/index.js';
import type { Evaluation, FlagTrace } from '../api/evaluate.js';
import { OPERATORS } from '../state/conditions.js';
import { percent, plural, shortJson } from '../state/wording.js';
import { Icon } from '../widgets/icon.js';

/** Why, in words that need no manual; the code stands beside them, as programs get it. */
const REASONS: Readonly<Record<Steps['outcome']['reason'], string>> = {
  STATIC: 'everyone gets it',
  DEFAULT: 'nothing above matched',
  TARGETING_MATCH: 'targeting matched',
  SPLIT: 'by the percentage rollout',
  DISABLED: 'the flag is off',
  PREREQUISITE_FAILED: 'a prerequisite failed',
  ERROR: 'it could not be evaluated',
};

const attributeAtEdge = (name: string): string => (name === 'targetingKey' ? 'user_id' : name);

/** The reason, with rules called as on the flag's page: programs get their ids. */
export const reasonWords = ({ reason, trace }: Evaluation): string =>
  ((trace as unknown as Steps | null | undefined)?.rules ?? []).reduce(
    (words, { rule, name }, index) =>
      words.replace(`'${rule}'`, name === null ? String(index + 1) : `“${name}”`),
    reason,
  );

/** The attributes that the rules on the way were asked about. */
export function attributesOf(trace: FlagTrace | null | undefined): string[] {
  const of = (node: NodeTrace): string[] =>
    'all' in node
      ? node.all.flatMap(of)
      : 'any' in node
        ? node.any.flatMap(of)
        : 'not' in node
          ? of(node.not)
          : [attributeAtEdge(node.attribute)];
  return ((trace as unknown as Steps | null | undefined)?.rules ?? []).flatMap((rule) => of(rule.conditions));
}

/** Each step on the way to an answer, in order, with what was held against what. */
export function Trace({ trace }: { trace: FlagTrace }) {
  return <StepList steps={trace as unknown as Steps} />;
}

function StepList({ steps }: { steps: Steps }) {
  const { serve } = steps;
  return (
    <ol class="trace">
      {steps.note && <li class="trace-note">{steps.note}</li>}
      {steps.prerequisites.map((prerequisite) => (
        <Step
          key={prerequisite.flag}
          isMet={prerequisite.matched}
          title={
            <>
              Needs <code>{prerequisite.flag}</code>
            </>
          }
        >
          wanted {prerequisite.wanted.join(' or ')}, it serves {prerequisite.variant ?? 'nothing'}
          {prerequisite.note && <>: {prerequisite.note}</>}
          {prerequisite.trace && (
            <details>
              <summary>Why</summary>
              <StepList steps={prerequisite.trace} />
            </details>
          )}
        </Step>
      ))}
      {steps.target && (
        <Step isMet={steps.target.matched} title="Listed users">
          {steps.target.matched ? (
            <>
              {shortJson(steps.target.unit)} is listed for <code>{steps.target.variant}</code>
            </>
          ) : (
            <span class="muted">
              {steps.target.unit === null
                ? 'nobody is named'
                : `${shortJson(steps.target.unit)} is not listed`}
            </span>
          )}
        </Step>
      )}
      {steps.rules.map((rule, index) => (
        <Step key={rule.rule} isMet={rule.matched} title={rule.name ?? `Rule ${index + 1}`}>
          <Conditions node={rule.conditions} />
        </Step>
      ))}
      {serve && (
        <Step isMet title={serve.by === 'default' ? 'Everyone else' : 'The rule serves'}>
          {serve.rollout ? <RolloutStep rollout={serve.rollout} /> : null}
          <span>
            {' '}
            <Icon name="right" size={12} />{' '}
            {serve.variant === null ? "the caller's default" : <code>{serve.variant}</code>}
          </span>
        </Step>
      )}
      <li class="trace-outcome">
        <strong>{steps.outcome.variant ?? "the caller's default"}</strong>
        <span class="muted">
          {' · '}
          {REASONS[steps.outcome.reason]} <code>{steps.outcome.error ?? steps.outcome.reason}</code>
        </span>
      </li>
    </ol>
  );
}

function Step({
  isMet,
  title,
  children,
}: {
  isMet: boolean;
  title: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <li class={isMet ? 'met' : 'unmet'}>
      <span class="trace-mark">
        <Icon name={isMet ? 'check' : 'close'} size={14} />
        <span class="hidden">{isMet ? 'holds' : 'does not hold'}</span>
      </span>
      <div>
        <strong>{title}</strong>
        <div>{children}</div>
      </div>
    </li>
  );
}

function RolloutStep({ rollout }: { rollout: RolloutTrace }) {
  const attribute = attributeAtEdge(rollout.attribute);
  if (rollout.bucket === null)
    return (
      <span>
        {rollout.note ?? (
          <>
            there is no <code>{attribute}</code> to draw by
          </>
        )}
      </span>
    );
  return (
    <span>
      <code>{attribute}</code> {shortJson(rollout.unit)} falls on {percent(rollout.bucket / 100)}, which is{' '}
      {rollout.matched ? 'within' : 'outside'} {percent(rollout.from / 100)} to {percent(rollout.to / 100)}
      {rollout.split && (
        <>
          ; of those, on {percent(rollout.split.bucket / 100)} of {percent(rollout.split.from / 100)} to{' '}
          {percent(rollout.split.to / 100)}
        </>
      )}
    </span>
  );
}

const JOINTS = { all: 'All of', any: 'Any of', not: 'Not' } as const;

function Conditions({ node }: { node: NodeTrace }) {
  if ('all' in node || 'any' in node) {
    const [kind, items] = 'all' in node ? (['all', node.all] as const) : (['any', node.any] as const);
    if (items.length === 0) return <span class="muted">{kind === 'all' ? 'everyone' : 'nobody'}</span>;
    const list = (
      <ul class="trace-conditions">
        {items.map((item, index) => (
          <li key={index}>
            <Conditions node={item} />
          </li>
        ))}
      </ul>
    );
    return items.length === 1 ? (
      list
    ) : (
      <div>
        <Mark isMet={node.matched} /> <span class="muted">{JOINTS[kind]}</span>
        {list}
      </div>
    );
  }
  if ('not' in node)
    return (
      <div>
        <Mark isMet={node.matched} /> <span class="muted">Not</span>
        <ul class="trace-conditions">
          <li>
            <Conditions node={node.not} />
          </li>
        </ul>
      </div>
    );
  return <LeafStep leaf={node} />;
}

function LeafStep({ leaf }: { leaf: ConditionTrace }) {
  const words = OPERATORS[leaf.operator];
  const more = leaf.count - leaf.wanted.length;
  return (
    <span>
      <Mark isMet={leaf.matched} /> <code>{attributeAtEdge(leaf.attribute)}</code>{' '}
      {leaf.operator === 'bucket' && leaf.bucket !== undefined ? (
        <>falls on {percent(leaf.bucket / 100)}</>
      ) : (
        <>{leaf.actual === null ? 'is missing' : `= ${shortJson(leaf.actual)}`}</>
      )}
      <span class="muted">
        , wanted: {leaf.negate ? words.isNot : words.is} {leaf.wanted.map(shortJson).join(', ')}
        {more > 0 ? ` and ${plural(more, 'other')}` : ''}
      </span>
      {leaf.note && <span class="muted"> ({leaf.note})</span>}
      {leaf.segments?.map((segment) => (
        <span key={segment.segment} class="muted">
          {' '}
          · <code>{segment.segment}</code>: {segment.by === 'nothing' ? 'not in it' : `by ${segment.by}`}
        </span>
      ))}
    </span>
  );
}

const Mark = ({ isMet }: { isMet: boolean }) => (
  <span class={isMet ? 'mark met' : 'mark unmet'}>
    <Icon name={isMet ? 'check' : 'close'} size={12} />
    <span class="hidden">{isMet ? 'holds:' : 'does not hold:'}</span>
  </span>
);
