import type { Flag, FlagUpdate, Variant } from '../api/flags.js';
import { groupSentence, type ConditionGroup } from './conditions.js';
import { draftOf, type ServeDraft } from './rollout.js';
import { percent, plural, shortJson } from './wording.js';

export interface RuleDraft {
  readonly id: string;
  readonly name: string | null;
  readonly conditions: ConditionGroup;
  readonly serve: ServeDraft;
}

export interface TargetDraft {
  readonly variant: string;
  /** `null`: too long to be shown; then `add` and `remove` change it. */
  readonly keys: readonly string[] | null;
  readonly count: number;
}

/** Everything of a flag that is edited and then saved together. Whether it is on is not: that is done at once. */
export interface FlagDraft {
  readonly name: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly owner: string | null;
  readonly variants: readonly Variant[];
  readonly client_visible: boolean;
  readonly off_variant: string | null;
  readonly prerequisites: Flag['prerequisites'];
  readonly targets: readonly TargetDraft[] | null;
  readonly rules: readonly RuleDraft[] | null;
  readonly default_serve: ServeDraft | null;
}

export type DraftField = keyof FlagDraft;

export const draftFrom = (flag: Flag): FlagDraft => ({
  name: flag.name,
  description: flag.description,
  tags: flag.tags,
  owner: flag.owner,
  variants: flag.variants,
  client_visible: flag.client_visible,
  off_variant: flag.off_variant,
  prerequisites: flag.prerequisites,
  targets:
    (flag.targets as readonly TargetDraft[] | null)?.map(({ variant, keys, count }) => ({
      variant,
      keys,
      count,
    })) ?? null,
  rules:
    flag.rules?.map((rule) => ({
      id: rule.id,
      name: rule.name,
      conditions: rule.conditions,
      serve: draftOf(rule.serve),
    })) ?? null,
  default_serve: flag.default_serve === null ? null : draftOf(flag.default_serve),
});

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const FIELDS: readonly DraftField[] = [
  'name',
  'description',
  'tags',
  'owner',
  'variants',
  'client_visible',
  'off_variant',
  'prerequisites',
  'targets',
  'rules',
  'default_serve',
];

/** What is the same in every environment. */
export const SHARED_FIELDS: readonly DraftField[] = [
  'name',
  'description',
  'tags',
  'owner',
  'variants',
  'client_visible',
];

const SPOKEN: Readonly<Partial<Record<DraftField, string>>> = {
  client_visible: 'what client keys may ask for',
  off_variant: 'what it serves while off',
  targets: 'the listed users',
  rules: 'the rules',
  default_serve: 'what everyone else gets',
};
/** Fields as people say them: `the rules and what everyone else gets`. */
export function fieldWords(fields: readonly DraftField[]): string {
  const words = fields.map((field) => SPOKEN[field] ?? `the ${field}`);
  const last = words.pop() ?? '';
  return words.length > 0 ? `${words.join(', ')} and ${last}` : last;
}

/** The fields in which two drafts differ. */
export const changedFields = (before: FlagDraft, after: FlagDraft): DraftField[] =>
  FIELDS.filter((field) => !isSame(before[field], after[field]));

/** Only what differs, as the API takes it. */
export function updateOf(before: FlagDraft, after: FlagDraft): FlagUpdate {
  const changed = changedFields(before, after).map((field) => [field, after[field]]);
  return Object.fromEntries(changed) as FlagUpdate;
}

/** Lays what was changed from `base` over what somebody else made of it. */
export function rebase(base: FlagDraft, mine: FlagDraft, theirs: FlagDraft): FlagDraft {
  const changed = changedFields(base, mine).map((field) => [field, mine[field]]);
  return { ...theirs, ...(Object.fromEntries(changed) as Partial<FlagDraft>) };
}

const quoted = (text: string | null): string => (text === null || text === '' ? 'nothing' : `“${text}”`);

/** What a serve gives, in words. */
export function serveWords(serve: ServeDraft | null, off: string | null): string {
  if (serve === null) return 'something this version cannot read';
  if ('variant' in serve) return `${serve.variant} to everyone`;
  const { percentage, weights, bucket_by: by } = serve.rollout;
  const unit = by === 'user_id' ? 'users' : `values of ${by}`;
  const live = weights.filter(({ weight }) => weight > 0);
  const rest = percentage >= 100 ? '' : `, ${off ?? "the caller's default"} to the rest`;
  if (live.length === 1 && live[0]) return `${live[0].variant} to ${percent(percentage)} of ${unit}${rest}`;
  const shares = live.map(({ variant, weight }) => `${variant} ${percent(weight)}`).join(', ');
  return percentage >= 100
    ? `${shares} of ${unit}`
    : `${shares} among ${percent(percentage)} of ${unit}${rest}`;
}

const ruleWords = (rule: RuleDraft, off: string | null): string =>
  `if ${groupSentence(rule.conditions)}, serve ${serveWords(rule.serve, off)}`;
const ruleName = ({ name }: RuleDraft, index: number): string => (name ? `“${name}”` : `rule ${index + 1}`);

/** What was changed, one sentence each. */
export function describeChanges(before: FlagDraft, after: FlagDraft): string[] {
  return changedFields(before, after).flatMap((field): string[] => {
    switch (field) {
      case 'name':
      case 'description':
      case 'owner':
        return [
          `${field === 'name' ? 'Name' : field === 'owner' ? 'Owner' : 'Description'}: ${quoted(before[field])} becomes ${quoted(after[field])}`,
        ];
      case 'tags':
        return [...listChange('Tag', before.tags, after.tags)];
      case 'client_visible':
        return [
          after.client_visible ? 'Client keys may know of it' : 'Client keys know nothing of it any more',
        ];
      case 'off_variant':
        return [
          `While off it serves ${after.off_variant ?? "nothing: the caller's default"} instead of ${before.off_variant ?? 'nothing'}`,
        ];
      case 'default_serve':
        return [
          `Everyone else: serve ${serveWords(after.default_serve, after.off_variant)}, instead of ${serveWords(before.default_serve, before.off_variant)}`,
        ];
      case 'variants':
        return variantChanges(before.variants, after.variants);
      case 'prerequisites':
        return prerequisiteChanges(before.prerequisites, after.prerequisites);
      case 'targets':
        return targetChanges(before.targets ?? [], after.targets ?? []);
      case 'rules':
        return ruleChanges(before, after);
    }
  });
}

function listChange(what: string, before: readonly string[], after: readonly string[]): string[] {
  const [added, removed] = [
    after.filter((each) => !before.includes(each)),
    before.filter((each) => !after.includes(each)),
  ];
  return [
    ...(added.length > 0 ? [`${plural(added.length, what)} added: ${added.slice(0, 8).join(', ')}`] : []),
    ...(removed.length > 0
      ? [`${plural(removed.length, what)} removed: ${removed.slice(0, 8).join(', ')}`]
      : []),
  ];
}

function variantChanges(before: readonly Variant[], after: readonly Variant[]): string[] {
  const known = new Map(before.map((variant) => [variant.key, variant]));
  const kept = new Set(after.map(({ key }) => key));
  const said = [
    ...after.flatMap(({ key, value }) => {
      const old = known.get(key);
      if (!old) return [`Variant ${key} is new: ${shortJson(value)}`];
      return isSame(old.value, value)
        ? []
        : [`Variant ${key}: ${shortJson(old.value)} becomes ${shortJson(value)}`];
    }),
    ...before.filter(({ key }) => !kept.has(key)).map(({ key }) => `Variant ${key} is removed`),
  ];
  return said.length > 0 ? said : ['The variants are in another order'];
}

function prerequisiteChanges(
  before: FlagDraft['prerequisites'],
  after: FlagDraft['prerequisites'],
): string[] {
  const words = (list: FlagDraft['prerequisites']): string[] =>
    ((list ?? []) as readonly { flag_key: string; variants: readonly string[] }[]).map(
      ({ flag_key: key, variants }) => `${key} must serve ${variants.join(' or ')}`,
    );
  const [old, now] = [words(before), words(after)];
  return [
    ...now.filter((each) => !old.includes(each)).map((each) => `Needs: ${each}`),
    ...old.filter((each) => !now.includes(each)).map((each) => `No longer needs: ${each}`),
  ];
}

function targetChanges(before: readonly TargetDraft[], after: readonly TargetDraft[]): string[] {
  const variants = [...new Set([...before, ...after].map(({ variant }) => variant))];
  return variants.flatMap((variant) => {
    const keysOf = (list: readonly TargetDraft[]): readonly string[] =>
      list.find((target) => target.variant === variant)?.keys ?? [];
    return listChange(`listed user`, keysOf(before), keysOf(after)).map((text) => `${variant}: ${text}`);
  });
}

function ruleChanges(before: FlagDraft, after: FlagDraft): string[] {
  const [old, now] = [before.rules ?? [], after.rules ?? []];
  const known = new Map(old.map((rule) => [rule.id, rule]));
  const kept = new Set(now.map(({ id }) => id));
  const said = [
    ...now.flatMap((rule, index) => {
      const was = known.get(rule.id);
      if (!was) return [`New ${ruleName(rule, index)}: ${ruleWords(rule, after.off_variant)}`];
      if (isSame(was, rule)) return [];
      return [`Changed ${ruleName(rule, index)}: ${ruleWords(rule, after.off_variant)}`];
    }),
    ...old.flatMap((rule, index) => (kept.has(rule.id) ? [] : [`Removed ${ruleName(rule, index)}`])),
  ];
  const order = (rules: readonly RuleDraft[]): string[] =>
    rules.map(({ id }) => id).filter((id) => known.has(id) && kept.has(id));
  return isSame(order(old), order(now)) ? said : [...said, 'The rules are in another order'];
}
