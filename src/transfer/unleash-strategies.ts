import { z } from 'zod';
import { BUCKETS, TARGETING_KEY, type ConditionNode, type Rollout } from '../core/index.js';
import { NotPortable, type Note } from './conversion.js';
import { condition } from './portable.js';
import { attributeOf, conditionOf, constraintSchema } from './unleash-constraints.js';

const id = z.union([z.string(), z.number()]).transform(String);
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

export const variantSchema = z.object({
  name: z.string().min(1),
  weight: z.number().min(0),
  payload: z.object({ type: z.string(), value: z.string() }).nullish(),
  stickiness: z.string().nullish(),
  overrides: list(z.object({ contextName: z.string(), values: list(z.string()) })),
});
export type UnleashVariant = z.output<typeof variantSchema>;

export const strategySchema = z.object({
  name: z.string(),
  featureName: z.string().optional(),
  environment: z.string().nullish(),
  disabled: z.boolean().nullish(),
  sortOrder: z.number().nullish(),
  parameters: z
    .record(z.string(), id)
    .nullish()
    .transform((parameters) => parameters ?? {}),
  constraints: list(constraintSchema),
  segments: list(id),
  variants: list(variantSchema),
});
export type Strategy = z.output<typeof strategySchema>;

/** Whom one strategy is for: those for whom the conditions hold, and of these a part. */
export interface Audience {
  readonly conditions: readonly ConditionNode[];
  /** Basis points. */
  readonly coverage: number;
  readonly placing: Pick<Rollout, 'bucketBy' | 'salt'>;
}

/** @param segmentKeys the keys of ours of the segments, by Unleash's ids @throws NotPortable for a strategy that has no words here */
export function audienceOf(
  strategy: Strategy,
  key: string,
  segmentKeys: ReadonlyMap<string, string>,
  note: Note,
): Audience {
  const { name, parameters, constraints, segments } = strategy;
  const memberships = segments.map((segmentId) => {
    const segment = segmentKeys.get(segmentId);
    if (segment === undefined)
      throw new NotPortable(`uses the segment ${segmentId}, which could not be carried over`);
    return condition(TARGETING_KEY, 'in_segment', [segment]);
  });
  const conditions: ConditionNode[] = [...constraints.map((each) => conditionOf(each, note)), ...memberships];
  const everybody = { conditions, coverage: BUCKETS, placing: { bucketBy: TARGETING_KEY, salt: key } };
  const listed = (parameter: string): string[] =>
    (parameters[parameter] ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  const part = (percentage: string | undefined, stickiness: string): Audience => {
    const bucketBy = bucketByOf(stickiness, note);
    const coverage = coverageOf(percentage);
    // Even all of the users are not those whom nobody knows, unless anything may place them.
    const isForKnown = coverage === BUCKETS && !['default', 'random'].includes(stickiness);
    return {
      conditions: isForKnown ? [...conditions, condition(bucketBy, 'is_set')] : conditions,
      coverage,
      placing: { bucketBy, salt: parameters['groupId'] || key },
    };
  };
  switch (name) {
    case 'default':
      return everybody;
    case 'userWithId':
      return { ...everybody, conditions: [...conditions, condition(TARGETING_KEY, 'in', listed('userIds'))] };
    case 'remoteAddress':
      return {
        ...everybody,
        conditions: [...conditions, condition('remoteAddress', 'in_cidr', listed('IPs'))],
      };
    case 'applicationHostname':
      return {
        ...everybody,
        conditions: [
          ...conditions,
          condition('hostname', 'in', listed('hostNames'), { caseInsensitive: true }),
        ],
      };
    case 'flexibleRollout':
      return part(parameters['rollout'], parameters['stickiness'] || 'default');
    case 'gradualRolloutUserId':
      return part(parameters['percentage'], 'userId');
    case 'gradualRolloutSessionId':
      return part(parameters['percentage'], 'sessionId');
    case 'gradualRolloutRandom':
      return part(parameters['percentage'], 'random');
    default:
      throw new NotPortable(`has the strategy '${name}', for which there are no words here`);
  }
}

/** The attribute by which users stay where they are. */
export function bucketByOf(stickiness: string, note: Note): string {
  if (stickiness === 'random') note('places users for good; its owner placed them anew each time');
  return stickiness === 'default' || stickiness === 'random' ? TARGETING_KEY : attributeOf(stickiness);
}

function coverageOf(percentage: string | undefined): number {
  const number = Number(percentage);
  if (percentage === undefined || percentage.trim() === '' || !(number >= 0 && number <= 100))
    throw new NotPortable(`has a rollout of '${percentage ?? 'nothing'}', which is no percentage`);
  return Math.round(number * 100);
}
