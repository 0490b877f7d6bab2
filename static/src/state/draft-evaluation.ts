import {
  allocate,
  compile,
  explain,
  parseSnapshot,
  reasonSentence,
  type Context,
} from '../../../src/core/index.js';
import { tryConditions } from '../api/conditions.js';
import { readRuleset, type Evaluation } from '../api/evaluate.js';
import { readFlag, type Flag } from '../api/flags.js';
import { isGroup, readGroup, writeGroup, type ConditionGroup, type Node } from './conditions.js';
import { draftFrom, rebase, type FlagDraft } from './flag-draft.js';
import { sharesOf, type ServeDraft } from './rollout.js';
import { tabStorage } from './storage.js';

const EDGE = 'user_id';
const CORE = 'targetingKey';
const attributeOf = (name: string): string => (name === EDGE ? CORE : name);

interface Kept {
  readonly base: FlagDraft;
  readonly draft: FlagDraft;
}

const keptDraft = (environment: string, key: string): Kept | undefined =>
  tabStorage.read(`draft.${environment}.${key}`) as Kept | undefined;

/** Whether this tab holds changes of a flag that are not saved. */
export const hasDraft = (environment: string, key: string): boolean =>
  keptDraft(environment, key) !== undefined;

/**
 * What a user would get if the draft of this tab were saved, by the evaluator that the service itself uses. Its patterns are
 * asked of the service: the browser's own engine can be made to run for ever.
 * @throws Error when the draft cannot be saved as it is
 */
export async function explainDraft(
  environment: string,
  key: string,
  context: Record<string, unknown>,
): Promise<Evaluation> {
  const kept = keptDraft(environment, key);
  const [flag, ruleset] = await Promise.all([readFlag(key, environment), readRuleset(environment)]);
  const draft = kept ? rebase(kept.base, kept.draft, draftFrom(flag)) : draftFrom(flag);
  const flags = (ruleset.flags as readonly { key: string }[]).map((each) =>
    each.key === key ? { ...each, ...wireOf(flag, draft) } : each,
  );
  const parsed = parseSnapshot({ ...ruleset, flags });
  if (!parsed.ok) throw new Error('The draft cannot be read yet.');
  const flaw = parsed.problems[0];
  if (flaw) throw new Error(`The draft cannot be saved as it is: ${flaw.path} ${flaw.message}`);
  const patterns = new AskedPatterns(environment);
  const compiled = compile(parsed.snapshot, { patterns: patterns.engine });
  const { user_id: unit, ...attributes } = context;
  const asked = {
    ...attributes,
    ...(unit === undefined ? {} : { [CORE]: typeof unit === 'string' ? unit : JSON.stringify(unit) }),
  } as Context;
  const now = Date.now();
  let { decision, trace } = explain(compiled, key, asked, now);
  // Each answer may lead to conditions that were not come to before.
  while (await patterns.learn()) ({ decision, trace } = explain(compiled, key, asked, now));
  return {
    enabled: decision.reason !== 'DISABLED',
    flag_key: key,
    value: decision.value ?? null,
    variant: decision.variant ?? null,
    reason: reasonSentence(decision, environment),
    reason_code: decision.reason,
    cached: true,
    flag_version: decision.version ?? null,
    revision: null,
    trace: trace as unknown as NonNullable<Evaluation['trace']>,
  };
}

/** As many texts as the service takes at once. */
const MOST_ASKED = 50;

/** A pattern engine whose answers come from the service: what is not known yet holds for nobody, and is asked for. */
class AskedPatterns {
  private readonly known = new Map<string, boolean>();
  private readonly wanted = new Map<string, { pattern: string; isCaseInsensitive: boolean; text: string }>();

  constructor(private readonly environment: string) {}

  readonly engine = (pattern: string, isCaseInsensitive: boolean) => {
    return (text: string): boolean => {
      const id = JSON.stringify([pattern, isCaseInsensitive, text]);
      const answer = this.known.get(id);
      if (answer === undefined) this.wanted.set(id, { pattern, isCaseInsensitive, text });
      return answer ?? false;
    };
  };

  /** @returns whether anything was asked since the last time. @throws Error when a pattern is refused */
  async learn(): Promise<boolean> {
    const asked = [...this.wanted].slice(0, MOST_ASKED);
    this.wanted.clear();
    if (asked.length === 0) return false;
    const trials = await tryConditions(
      this.environment,
      asked.map(([, { pattern, isCaseInsensitive }]) => ({
        all: [
          {
            attribute: 'text',
            operator: 'matches',
            values: [pattern],
            negate: false,
            ...(isCaseInsensitive ? { case_insensitive: true } : {}),
          },
        ],
      })),
      asked.map(([, { text }]) => ({ text })),
    );
    for (const [index, [id]] of asked.entries()) {
      const trial = trials[index];
      const [flaw] = trial?.problems ?? [];
      if (flaw) throw new Error(`The draft cannot be saved as it is: ${flaw.message}`);
      this.known.set(id, trial?.matches?.[index] ?? false);
    }
    return true;
  }
}

/** A draft as the ruleset spells it. */
function wireOf(flag: Flag, draft: FlagDraft): Record<string, unknown> {
  const before = new Map(
    ((flag.rules ?? []) as readonly { id: string; serve: Flag['default_serve'] }[]).map(({ id, serve }) => [
      id,
      serve,
    ]),
  );
  return {
    variants: draft.variants,
    off_variant: draft.off_variant,
    prerequisites: draft.prerequisites ?? [],
    ...(draft.targets?.every(({ keys }) => keys !== null)
      ? { targets: draft.targets.map(({ variant, keys }) => ({ variant, keys })) }
      : {}),
    ...(draft.rules
      ? {
          rules: draft.rules.map((rule) => ({
            id: rule.id,
            name: rule.name,
            conditions: wireGroup(rule.conditions),
            serve: wireServe(rule.serve, before.get(rule.id) ?? null, flag.key),
          })),
        }
      : {}),
    ...(draft.default_serve
      ? { default_serve: wireServe(draft.default_serve, flag.default_serve, flag.key) }
      : {}),
  };
}

function wireServe(serve: ServeDraft, before: Flag['default_serve'], key: string): unknown {
  if ('variant' in serve) return serve;
  const { percentage, weights, bucket_by, salt, hash_version } = serve.rollout;
  const last = before && 'rollout' in before ? before.rollout.allocation : [];
  return {
    rollout: {
      bucket_by: attributeOf(bucket_by),
      salt: salt ?? key,
      hash_version: hash_version ?? 'murmur3',
      coverage: Math.round(percentage * 100),
      ranges: allocate(
        sharesOf(weights).map(({ variant, points }) => ({ variant, basisPoints: points })),
        last,
      ),
    },
  };
}

function wireGroup(group: ConditionGroup): ConditionGroup {
  const { kind, items } = readGroup(group);
  return writeGroup(
    kind,
    items.map((item): Node =>
      isGroup(item) ? wireGroup(item) : { ...item, attribute: attributeOf(item.attribute) },
    ),
  );
}
