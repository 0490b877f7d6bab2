import canonicalize from 'canonicalize';
import type { FlagDefinition, FlagView } from './flag.js';

/** Whether what all environments share is another. */
export function isRedefined(before: FlagDefinition, after: FlagDefinition): boolean {
  return isDifferent(definitionOf(before), definitionOf(after));
}

/** Whether a changed definition changes what people get. */
export function isMeantOtherwise(before: FlagDefinition, after: FlagDefinition): boolean {
  return isDifferent(meaningOf(before), meaningOf(after));
}

/** Whether what one environment has of its own is another. */
export function isSetOtherwise(before: FlagView, after: FlagView): boolean {
  return isDifferent(settingsOf(before), settingsOf(after));
}

/** Different as JSON, in which the order of keys says nothing and there is no -0: as the audit log and the database see it. */
export function isDifferent(a: unknown, b: unknown): boolean {
  return canonicalize(a) !== canonicalize(b);
}

const definitionOf = ({
  name,
  description,
  variants,
  tags,
  owner,
  archivedAt,
  clientVisible,
}: FlagDefinition) => ({
  name,
  description,
  variants,
  tags,
  owner,
  archivedAt,
  clientVisible,
});

const meaningOf = ({ variants, archivedAt, clientVisible }: FlagDefinition) => ({
  variants,
  clientVisible,
  isArchived: archivedAt !== null,
});

const settingsOf = (flag: FlagView) => ({
  isEnabled: flag.isEnabled,
  offVariant: flag.offVariant,
  prerequisites: flag.prerequisites,
  targets: flag.targets,
  rules: flag.rules,
  defaultServe: flag.defaultServe,
  unreadable: flag.unreadable,
});
