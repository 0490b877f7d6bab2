import { describeKeys } from '../audit/described-keys.js';
import { serializePrerequisite, serializeRule, serializeServe } from '../core/index.js';
import type { FlagView } from './flag.js';
import { placingOf, simpleView } from './flag-serve.js';

/**
 * A flag as the audit log shows it: the fields that people know from the API. The simple reading stands for the serve
 * where it says everything, so that a change of a percentage is one line.
 * @param before what it was, where it is told what became of it
 */
export function describeFlag(flag: FlagView, before?: FlagView): Record<string, unknown> {
  const { salt, hashVersion } = placingOf(flag);
  return {
    key: flag.key,
    name: flag.name,
    description: flag.description,
    value_type: flag.valueType,
    variants: flag.variants,
    tags: flag.tags,
    owner: flag.owner,
    archived: flag.archivedAt !== null,
    client_visible: flag.clientVisible,
    is_enabled: flag.isEnabled,
    off_variant: flag.offVariant,
    ...describeTargeting(flag, before),
    ...describeServe(flag),
    salt,
    hash_version: hashVersion,
  };
}

function describeTargeting(flag: FlagView, before: FlagView | undefined): Record<string, unknown> {
  const keysOf = (view: FlagView | undefined, variant: string) =>
    view?.targets.find((target) => target.variant === variant)?.keys;
  const lists = flag.targets.map(({ variant, keys }) => [
    variant,
    describeKeys(keys, before && (keysOf(before, variant) ?? [])),
  ]);
  const parts = {
    prerequisites: flag.prerequisites.map(serializePrerequisite),
    targets: Object.fromEntries(lists) as Record<string, unknown>,
    rules: flag.rules.map(serializeRule),
  };
  const known = Object.entries(parts).map(([part, description]) => [
    part,
    flag.unreadable.some((unreadable) => unreadable === part) ? null : description,
  ]);
  return Object.fromEntries(known) as Record<string, unknown>;
}

/** Of what cannot be read nothing is known; what stands in for it must not look like it, or mending it looks like no change. */
function describeServe(flag: FlagView): Record<string, unknown> {
  if (flag.unreadable.includes('default_serve'))
    return { flag_type: null, rollout_percentage: null, default_serve: null };
  const { type, coverage } = simpleView(flag);
  return {
    flag_type: type,
    rollout_percentage: coverage === undefined ? null : coverage / 100,
    default_serve: type === 'multivariate' ? serializeServe(flag.defaultServe) : null,
  };
}
