import {
  serializePrerequisite,
  serializeRule,
  serializeServe,
  serializeTarget,
  type JsonValue,
  type Serve,
  type Variant,
} from '../core/index.js';
import { editDefinition, newDefinition } from '../flags/flag-definition.js';
import { editSettings, newSettings } from '../flags/flag-draft.js';
import { weightsOf, type ServeInput } from '../flags/flag-serve.js';
import type { Draft, FlagDefinition, FlagSettings, FlagView } from '../flags/flag.js';
import type { FlagUpdate, NewFlag } from '../flags/flags.service.js';
import type { PortableFlag } from './portable.js';

type Placed = PortableFlag & { readonly environmentKey: string };

/** A flag as an editor would write it, so that its rollouts lie exactly where the document has them. */
export function updateOf(flag: PortableFlag): FlagUpdate {
  const { name, description, variants, tags, owner, clientVisible, isEnabled, offVariant } = flag;
  return {
    name,
    description,
    variants,
    tags,
    owner,
    clientVisible,
    isEnabled,
    offVariant,
    prerequisites: flag.prerequisites,
    targets: flag.targets,
    rules: flag.rules.map((rule) => ({ ...rule, serve: serveInput(rule.serve, variants) })),
    defaultServe: serveInput(flag.defaultServe, variants),
  };
}

export function newFlagOf(flag: Placed): NewFlag {
  const { key, name, valueType, environmentKey, placing } = flag;
  return { ...updateOf(flag), key, name, valueType, environmentKey, placing };
}

function serveInput(serve: Serve, variants: readonly Variant[]): ServeInput {
  if ('variant' in serve) return serve;
  const { bucketBy, salt, hashVersion, coverage, ranges } = serve.rollout;
  const weights = weightsOf(serve.rollout, variants);
  return { rollout: { bucketBy, salt, hashVersion, coverage, weights, allocation: ranges } };
}

type View = FlagDefinition & FlagSettings;

/** What would be made of a flag that is new in its environment, and what is wrong with it. */
export function newView(flag: Placed): Draft<View> {
  const input = newFlagOf(flag);
  const definition = newDefinition(input);
  const settings = newSettings(definition.value, input);
  return {
    value: { ...definition.value, ...settings.value },
    problems: [...definition.problems, ...settings.problems],
  };
}

/** What would become of a flag that is there. An archived one stays archived. */
export function changedView(before: FlagView, flag: PortableFlag): Draft<View> {
  const input = updateOf(flag);
  const definition = editDefinition(before, input);
  const settings = editSettings(definition.value, before, input);
  return {
    value: { ...definition.value, ...settings.value },
    problems: [...definition.problems, ...settings.problems],
  };
}

/** All that an import may change of a flag, as its document spells it. */
export const viewDocument = (view: View): Record<string, JsonValue> => ({
  name: view.name,
  description: view.description,
  value_type: view.valueType,
  variants: view.variants.map(({ key, value }) => ({ key, value })),
  tags: view.tags,
  owner: view.owner,
  client_visible: view.clientVisible,
  is_enabled: view.isEnabled,
  off_variant: view.offVariant,
  prerequisites: view.prerequisites.map(serializePrerequisite),
  targets: view.targets.map(serializeTarget),
  rules: view.rules.map(serializeRule),
  default_serve: serializeServe(view.defaultServe),
  // What this version cannot read is not what stands in for it.
  unreadable: view.unreadable,
});
