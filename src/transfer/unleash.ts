import { z } from 'zod';
import {
  BUCKETS,
  type ConditionNode,
  type JsonValue,
  type Prerequisite,
  type Rule,
  type Serve,
  type ValueType,
  type Variant,
} from '../core/index.js';
import {
  Conversion,
  keyFrom,
  nameIn,
  NotPortable,
  readDocument,
  titleOf,
  UnreadableDocument,
  type Note,
} from './conversion.js';
import {
  allOf,
  BOOLEAN_VARIANTS,
  condition,
  nothing,
  rolloutOf,
  sharesOf,
  type Portable,
  type PortableFlag,
} from './portable.js';
import { attributeOf, conditionOf, constraintSchema } from './unleash-constraints.js';
import {
  audienceOf,
  bucketByOf,
  strategySchema,
  variantSchema,
  type Audience,
  type UnleashVariant,
} from './unleash-strategies.js';

const things = z
  .array(z.unknown())
  .nullish()
  .transform((items) => items ?? []);
const file = z.object({
  features: z.array(z.unknown()),
  segments: things,
  featureStrategies: things,
  featureEnvironments: things,
  featureTags: things,
  dependencies: things,
});
const parent = z.object({
  feature: z.string(),
  enabled: z.boolean().nullish(),
  variants: z.array(z.string()).nullish(),
});
const featureSchema = z.object({
  name: z.string().min(1),
  description: z.string().nullish(),
  enabled: z.boolean(),
  strategies: z
    .array(strategySchema)
    .nullish()
    .transform((items) => items ?? []),
  variants: z
    .array(variantSchema)
    .nullish()
    .transform((items) => items ?? []),
  dependencies: z
    .array(parent)
    .nullish()
    .transform((items) => items ?? []),
});
type Feature = z.output<typeof featureSchema>;

const segmentSchema = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  name: z.string().nullish(),
  description: z.string().nullish(),
  constraints: z.array(constraintSchema),
});

/** What a flag serves to whom it is not for. */
const DISABLED = 'disabled';

/**
 * Reads what Unleash exports of one environment, or what its client API answers (`/api/client/features`). Strategies become rules; a part of
 * the users stays as large, and is of other users. @throws UnreadableDocument
 */
export function fromUnleash(document: unknown): Portable {
  const whole = readDocument(file, document, 'an export of Unleash');
  const conversion = new Conversion();
  const segmentKeys = new Map<string, string>();
  for (const [index, item] of whole.segments.entries()) {
    conversion.segment(nameIn(item, ['name'], index), (note) => {
      const { id, name, description, constraints } = segmentSchema.parse(item);
      const said = name ?? `segment-${id}`;
      const key = said
        .trim()
        .toLowerCase()
        .replaceAll(/[^a-z0-9._-]+/g, '-')
        .replace(/^[^a-z0-9]+/, '')
        .slice(0, 100);
      const conditions = { all: constraints.map((constraint) => conditionOf(constraint, note)) };
      segmentKeys.set(id, key);
      return {
        key,
        name: said,
        description: description ?? null,
        environmentKey: undefined,
        included: [],
        excluded: [],
        conditions,
      };
    });
  }
  const features = gathered(whole);
  const parents = new Map<string, Feature>();
  for (const item of features) {
    const feature = featureSchema.safeParse(item);
    if (feature.success) parents.set(feature.data.name, feature.data);
  }
  for (const [index, item] of features.entries()) {
    conversion.flag(nameIn(item, ['name'], index), (note) =>
      flagOf(featureSchema.parse(item), { segmentKeys, parents, note }),
    );
  }
  return conversion;
}

/** An export lays out in lists of their own what the client API says within each feature. */
function gathered({
  features,
  featureStrategies,
  featureEnvironments,
  dependencies,
}: z.output<typeof file>): unknown[] {
  const inEnvironment = z.object({
    featureName: z.string(),
    environment: z.string(),
    enabled: z.boolean(),
    variants: z.array(z.unknown()).nullish(),
  });
  if (featureEnvironments.length === 0) return features;
  const settings = readDocument(z.array(inEnvironment), featureEnvironments, 'an export of Unleash');
  const environments = new Set(settings.map(({ environment }) => environment));
  if (environments.size > 1)
    throw new UnreadableDocument(
      `This has several environments (${[...environments].join(', ')}); export one at a time.`,
    );
  const parentsOf = z.object({ feature: z.string(), dependencies: z.array(z.unknown()) });
  const parents = readDocument(z.array(parentsOf), dependencies, 'an export of Unleash');
  const featureOf = (item: unknown): string | undefined =>
    z.object({ featureName: z.string() }).safeParse(item).data?.featureName;
  const byOrder = (item: unknown): number =>
    z.object({ sortOrder: z.number() }).safeParse(item).data?.sortOrder ?? 0;
  return features.map((feature) => {
    const name = nameIn(feature, ['name'], 0);
    const setting = settings.find(({ featureName }) => featureName === name);
    return {
      ...(feature as object),
      enabled: setting?.enabled ?? false,
      variants: setting?.variants ?? [],
      strategies: featureStrategies
        .filter((item) => featureOf(item) === name)
        .sort((a, b) => byOrder(a) - byOrder(b)),
      dependencies: parents
        .filter(({ feature: child }) => child === name)
        .flatMap((each) => each.dependencies),
    };
  });
}

interface Around {
  readonly segmentKeys: ReadonlyMap<string, string>;
  readonly parents: ReadonlyMap<string, Feature>;
  readonly note: Note;
}

function flagOf(feature: Feature, around: Around): PortableFlag {
  const { note } = around;
  const key = keyFrom(feature.name, note);
  const strategies = feature.strategies.filter(({ disabled }) => disabled !== true);
  const allVariants = strategies.flatMap(({ variants }) => variants).concat(feature.variants);
  const { valueType, variants } = variantsOf(allVariants);
  const off = allVariants.length === 0 ? 'off' : DISABLED;
  const rules: Rule[] = [];
  let defaultServe: Serve = { variant: off };
  const add = (conditions: readonly ConditionNode[], serve: Serve): void => {
    rules.push({ id: `unleash-${rules.length + 1}`, name: null, conditions: allOf(conditions), serve });
  };
  // A feature without strategies is for everybody; one whose strategies are all disabled is for nobody.
  const whole: Audience = {
    conditions: [],
    coverage: BUCKETS,
    placing: { bucketBy: 'targetingKey', salt: key },
  };
  const audiences = strategies.map((strategy) => ({
    ...audienceOf(strategy, key, around.segmentKeys, note),
    variants: strategy.variants.length > 0 ? strategy.variants : feature.variants,
  }));
  if (feature.strategies.length === 0) audiences.push({ ...whole, variants: feature.variants });
  for (const [index, audience] of audiences.entries()) {
    const isLast = index === audiences.length - 1;
    const { conditions, placing, coverage } = audience;
    // Who is not in the part of one strategy may be in that of the next, so its part is a condition; only the last can be a rollout.
    const inPart = coverage === BUCKETS ? [] : [bucketCondition(placing, coverage)];
    for (const { name, overrides } of audience.variants)
      for (const { contextName, values } of overrides)
        add([...conditions, ...inPart, condition(attributeOf(contextName), 'in', values)], { variant: name });
    const serve = serveOf(audience, isLast ? coverage : BUCKETS, key, note);
    if (isLast && conditions.length === 0) defaultServe = serve;
    else add(isLast ? conditions : [...conditions, ...inPart], serve);
    if (coverage > 0 && coverage < BUCKETS)
      note('keeps the share of its users, and gives it to other users than Unleash did');
  }
  return {
    key,
    name: titleOf(feature.name),
    description: feature.description ?? null,
    environmentKey: undefined,
    valueType,
    variants,
    isEnabled: feature.enabled,
    offVariant: off,
    prerequisites: feature.dependencies.map((each) => prerequisiteOf(each, around)),
    targets: [],
    rules,
    defaultServe,
  };
}

const bucketCondition = ({ bucketBy, salt }: Audience['placing'], coverage: number): ConditionNode =>
  condition(bucketBy, 'bucket', [0, coverage], { salt });

function serveOf(
  { placing, variants }: Audience & { variants: readonly UnleashVariant[] },
  coverage: number,
  key: string,
  note: Note,
): Serve {
  if (variants.length === 0)
    return coverage === BUCKETS
      ? { variant: 'on' }
      : rolloutOf(placing, coverage, [{ variant: 'on', basisPoints: BUCKETS }]);
  const shares = sharesOf(variants.map(({ name, weight }) => ({ variant: name, weight })));
  const [only, ...more] = shares ?? [];
  if (!shares || !only) return nothing(key, DISABLED);
  if (more.length === 0 && coverage === BUCKETS) return { variant: only.variant };
  note('keeps the shares of its variants, and gives them to other users than Unleash did');
  const stickiness = variants[0]?.stickiness;
  const bucketBy = stickiness && coverage === BUCKETS ? bucketByOf(stickiness, note) : placing.bucketBy;
  return rolloutOf({ ...placing, bucketBy }, coverage, shares);
}

/** On and off, or the payloads; and what those get for whom it is not. */
function variantsOf(given: readonly UnleashVariant[]): {
  valueType: ValueType;
  variants: readonly Variant[];
} {
  if (given.length === 0) return { valueType: 'boolean', variants: BOOLEAN_VARIANTS };
  const isText = given.every(({ payload }) => !payload || ['string', 'csv'].includes(payload.type));
  const values = new Map<string, JsonValue>();
  for (const { name, payload } of given) {
    const value = isText || !payload ? (payload?.value ?? name) : parsed(payload);
    if (values.has(name) && JSON.stringify(values.get(name)) !== JSON.stringify(value))
      throw new NotPortable(`has two variants '${name}' with different payloads`);
    if (name === DISABLED)
      throw new NotPortable(`has a variant '${DISABLED}', which is the name for having none`);
    values.set(name, value);
  }
  const variants = [...values].map(([key, value]) => ({ key, value }));
  return {
    valueType: isText ? 'string' : 'json',
    variants: [...variants, { key: DISABLED, value: isText ? DISABLED : null }],
  };
}

function parsed({ type, value }: { type: string; value: string }): JsonValue {
  if (type === 'string' || type === 'csv') return value;
  try {
    return z.json().parse(JSON.parse(value));
  } catch {
    throw new NotPortable(`has a payload of type '${type}' that is none`);
  }
}

function prerequisiteOf(
  { feature, enabled, variants }: z.output<typeof parent>,
  { parents, note }: Around,
): Prerequisite {
  if (enabled === false)
    throw new NotPortable(`depends on '${feature}' being off, for which there are no words here`);
  const found = parents.get(feature);
  if (!found) throw new NotPortable(`depends on '${feature}', which is not in the document`);
  const all = found.strategies.flatMap((strategy) => strategy.variants).concat(found.variants);
  const on = all.length === 0 ? ['on'] : [...new Set(all.map(({ name }) => name))];
  return { flagKey: keyFrom(feature, note), variants: variants && variants.length > 0 ? variants : on };
}
