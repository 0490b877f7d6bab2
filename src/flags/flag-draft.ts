import {
  BUCKETS,
  TARGETING_KEY,
  under,
  type HashVersion,
  type Rollout,
  type Serve,
  type Variant,
} from '../core/index.js';
import type { InputProblem } from '../platform/errors/errors.js';
import type { Draft, FlagDefinition, FlagSettings, FlagType, SettingsPart } from './flag.js';
import type { DefinitionInput } from './flag-definition.js';
import {
  notAVariant,
  onForEveryone,
  percentageServe,
  resolveServe,
  simpleView,
  type ServeContext,
  type ServeInput,
} from './flag-serve.js';
import { editTargeting, type TargetingInput } from './flag-targeting.js';

/** What one environment has of its own. `flagType` and `rolloutPercentage` are the simple way to say `defaultServe`. */
export interface SettingsInput extends TargetingInput {
  readonly isEnabled?: boolean | undefined;
  readonly offVariant?: string | null | undefined;
  readonly flagType?: FlagType | undefined;
  /** Basis points. */
  readonly rolloutPercentage?: number | undefined;
  readonly defaultServe?: ServeInput | undefined;
}

/** What only new settings can be told. */
export interface NewSettingsInput extends SettingsInput {
  /** How rollouts place users, the first that may come later included; murmur3 by the key when absent. */
  readonly placing?: { readonly hashVersion: HashVersion; readonly salt: string } | undefined;
}

/** Settings for a flag that is new in an environment: off, and for everyone once it is on. */
export function newSettings(definition: FlagDefinition, input: NewSettingsInput): Draft<FlagSettings> {
  const { valueType, variants } = definition;
  const meaning = (wanted: boolean): string | undefined =>
    valueType === 'boolean' ? variants.find(({ value }) => value === wanted)?.key : undefined;
  const now = new Date();
  const fresh: FlagSettings = {
    isEnabled: false,
    offVariant: meaning(false) ?? null,
    defaultServe: { variant: meaning(true) ?? variants[0]?.key ?? '' },
    prerequisites: [],
    targets: [],
    rules: [],
    ruleRollouts: {},
    unreadable: [],
    lastRollout: input.placing && rolloutToCome(input.placing, meaning(true) ?? variants[0]?.key ?? ''),
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  // A percentage flag that names no percentage has reached nobody yet.
  const percentage =
    input.flagType === 'percentage' && input.defaultServe === undefined
      ? { rolloutPercentage: input.rolloutPercentage ?? 0 }
      : {};
  return editSettings(definition, fresh, { ...input, ...percentage });
}

/** What stands for a rollout that was never in force, so that the first one places users as it says. */
const rolloutToCome = (
  { hashVersion, salt }: NonNullable<NewSettingsInput['placing']>,
  variant: string,
): Rollout => ({
  bucketBy: TARGETING_KEY,
  salt,
  hashVersion,
  coverage: BUCKETS,
  ranges: [{ variant, from: 0, to: BUCKETS }],
});

/** Settings with an input laid over them, checked against the definition, whose variants may be news too. */
export function editSettings(
  definition: FlagDefinition,
  current: FlagSettings,
  input: SettingsInput & Pick<DefinitionInput, 'variants'>,
): Draft<FlagSettings> {
  const { key, valueType, variants } = definition;
  const offVariant = input.offVariant === undefined ? current.offVariant : input.offVariant;
  const context: ServeContext = { key, valueType, variants, offVariant, lastRollout: current.lastRollout };
  const { value: defaultServe, problems: serveProblems } = editServe(context, current.defaultServe, input);
  const targeting = editTargeting(current, input, context);
  const problems = [...serveProblems, ...targeting.problems];
  const value: FlagSettings = {
    isEnabled: input.isEnabled ?? current.isEnabled,
    offVariant,
    defaultServe,
    ...targeting.value,
    unreadable: current.unreadable.filter((part) => !isWritten(part, input)),
    lastRollout: 'rollout' in defaultServe ? defaultServe.rollout : current.lastRollout,
    version: current.version,
    createdAt: current.createdAt,
    updatedAt: current.updatedAt,
  };
  return { value, problems: problems.length > 0 ? problems : flawsOf(value, variants, input) };
}

/** A variant that settings name and the flag has not. */
export interface MissingVariant {
  readonly field: 'off_variant' | 'default_serve' | 'targets' | 'rules';
  readonly variant: string;
}

/** What no longer fits in settings after the definition changed. */
export function missingVariants(
  { offVariant, defaultServe, targets, rules }: FlagSettings,
  variants: readonly Variant[],
): MissingVariant[] {
  const named = (field: MissingVariant['field'], keys: Iterable<string>): MissingVariant[] =>
    [...new Set(keys)].map((variant) => ({ field, variant }));
  return [
    ...named('off_variant', offVariant === null ? [] : [offVariant]),
    ...named('default_serve', variantsOf(defaultServe)),
    ...named(
      'targets',
      targets.map(({ variant }) => variant),
    ),
    ...named(
      'rules',
      rules.flatMap(({ serve }) => variantsOf(serve)),
    ),
  ].filter(({ variant }) => !variants.some(({ key }) => key === variant));
}

const variantsOf = (serve: Serve): string[] =>
  'variant' in serve ? [serve.variant] : serve.rollout.ranges.map(({ variant }) => variant);

/** Said of the field that the editor wrote: the one that names the variant, or the variants that lack it now. */
function flawsOf(
  value: FlagSettings,
  variants: readonly Variant[],
  input: SettingsInput & Pick<DefinitionInput, 'variants'>,
): InputProblem[] {
  return missingVariants(value, variants).map(({ field, variant }) => {
    const message = notAVariant(variant);
    const isNamed = field === 'off_variant' ? input.offVariant !== undefined : isWritten(field, input);
    if (isNamed || input.variants === undefined) return { path: field, message };
    const role = field === 'off_variant' ? 'the off variant' : 'served';
    return { path: 'variants', message: `${message}, but is still ${role} here; change ${field} too` };
  });
}

function editServe(context: ServeContext, current: Serve, input: SettingsInput): Draft<Serve> {
  const simple = simpleServe(context, current, input);
  if (input.defaultServe === undefined) return simple ?? { value: current, problems: [] };
  const resolved = resolveServe(input.defaultServe, context);
  if ('problems' in resolved) return { value: current, problems: under('default_serve', resolved.problems) };
  return { value: resolved.serve, problems: contradictions(context, resolved.serve, input) };
}

function isWritten(part: SettingsPart, input: SettingsInput): boolean {
  if (part !== 'default_serve') return input[part] !== undefined;
  // Multivariate alone says no more than that it is not simple.
  const flagType = input.flagType === 'multivariate' ? undefined : input.flagType;
  return [flagType, input.rolloutPercentage, input.defaultServe].some((item) => item !== undefined);
}

/**
 * What `flag_type` and `rollout_percentage` say, when they say anything. With `flag_type` boolean a percentage says
 * nothing, whatever it is: clients of system 002 send both fields always, and there a boolean flag that is on is on for everyone.
 */
function simpleServe(context: ServeContext, current: Serve, input: SettingsInput): Draft<Serve> | undefined {
  const { flagType, rolloutPercentage: coverage } = input;
  if (flagType === undefined && coverage === undefined) return undefined;
  const now = simpleView({ ...context, defaultServe: current });
  const wrong = (path: string, message: string): Draft<Serve> => ({
    value: current,
    problems: [{ path, message }],
  });
  if (flagType === 'multivariate') {
    if (coverage !== undefined)
      return wrong('rollout_percentage', 'does not apply to a multivariate flag; use default_serve');
    return now.type === 'multivariate' || input.defaultServe
      ? { value: current, problems: [] }
      : wrong('default_serve', 'is needed to make a flag multivariate');
  }
  if (context.valueType !== 'boolean' || !context.variants.some(({ value }) => value === true)) {
    return wrong(
      flagType === undefined ? 'rollout_percentage' : 'flag_type',
      `is for boolean flags; use default_serve for a flag of type ${context.valueType}`,
    );
  }
  if (flagType === 'boolean') {
    return { value: onForEveryone(context.variants), problems: [] };
  }
  if (coverage === undefined && now.type === 'percentage') return { value: current, problems: [] };
  if (flagType === undefined && now.type === 'multivariate' && !input.defaultServe) {
    return wrong(
      'rollout_percentage',
      'would replace a richer serve; say flag_type percentage too, or use default_serve',
    );
  }
  if (context.offVariant !== context.variants.find(({ value }) => value === false)?.key) {
    return flagType === undefined
      ? wrong('rollout_percentage', 'needs the off variant to be the one for false, or use default_serve')
      : wrong('off_variant', 'must be the variant for false where flag_type is percentage');
  }
  const resolved = percentageServe(coverage ?? now.coverage ?? 0, context);
  return 'problems' in resolved
    ? { value: current, problems: resolved.problems }
    : { value: resolved.serve, problems: [] };
}

const EITHER_SHAPE = 'leave default_serve out, or change both';

/** An editor may give both shapes, as a reader gets both, as long as they say the same. */
function contradictions(
  context: ServeContext,
  serve: Serve,
  { flagType, rolloutPercentage }: SettingsInput,
): InputProblem[] {
  const view = simpleView({ ...context, defaultServe: serve });
  const problems: InputProblem[] = [];
  if (flagType !== undefined && flagType !== view.type)
    problems.push({
      path: 'flag_type',
      message: `contradicts default_serve, which is ${view.type}; ${EITHER_SHAPE}`,
    });
  if (rolloutPercentage !== undefined && rolloutPercentage !== view.coverage)
    problems.push({
      path: 'rollout_percentage',
      message:
        flagType === 'boolean'
          ? 'means nothing where flag_type is boolean; say percentage, and leave default_serve out'
          : `contradicts default_serve; ${EITHER_SHAPE}`,
    });
  return problems;
}
