import {
  parsePrerequisites,
  parseRules,
  parseServe,
  parseTargets,
  serializePrerequisite,
  serializeRule,
  serializeServe,
  serializeTarget,
  type Rollout,
  type Serve,
  type ValueType,
  type Variant,
} from '../core/index.js';
import {
  SETTINGS_PARTS,
  type FlagOverview,
  type FlagSettings,
  type FlagView,
  type SettingsPart,
} from './flag.js';

interface Row {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly value_type: ValueType;
  readonly variants: Variant[];
  readonly tags: string[];
  readonly owner: string | null;
  readonly archived_at: Date | null;
  readonly client_visible: boolean;
  readonly environment_id: string;
  readonly environment_key: string;
  readonly is_enabled: boolean;
  readonly off_variant: string | null;
  readonly prerequisites: unknown;
  readonly default_serve: unknown;
  readonly last_rollout: unknown;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** A row of `VIEW`. */
export interface ViewRow extends Row {
  readonly targets: unknown;
  readonly rules: unknown;
  readonly rule_rollouts: Readonly<Record<string, unknown>>;
}

/** A row of `OVERVIEW`. */
export interface OverviewRow extends Row {
  readonly rule_count: number;
  readonly target_count: string;
}

/** One row for each flag and environment that has it. */
export const TABLES =
  'FROM flags f JOIN flag_settings s ON s.flag_id = f.id JOIN environments e ON e.id = s.environment_id';

const COLUMNS = `
  f.id, f.key, f.name, f.description, f.value_type, f.variants, f.tags, f.owner, f.archived_at, f.client_visible,
  s.environment_id, e.key AS environment_key, s.is_enabled, s.off_variant, s.prerequisites, s.default_serve,
  s.last_rollout, s.version, s.created_at, greatest(s.updated_at, f.updated_at) AS updated_at`;

export const VIEW = `SELECT ${COLUMNS}, s.targets, s.rules, s.rule_rollouts ${TABLES}`;

/** The lists of a flag's targets, none where they are no list. */
export const TARGET_LISTS = `CASE jsonb_typeof(s.targets) WHEN 'array' THEN s.targets ELSE '[]' END`;

/** Without what may be long. Counts of what is no list are 0: one flag that cannot be read must not hide the others. */
export const OVERVIEW = `SELECT ${COLUMNS},
  CASE jsonb_typeof(s.rules) WHEN 'array' THEN jsonb_array_length(s.rules) ELSE 0 END AS rule_count,
  (SELECT coalesce(sum(CASE jsonb_typeof(t -> 'keys') WHEN 'array' THEN jsonb_array_length(t -> 'keys') ELSE 0 END), 0)
   FROM jsonb_array_elements(${TARGET_LISTS}) t) AS target_count
  ${TABLES}`;

export function viewOf(row: ViewRow): FlagView {
  const prerequisites = parsePrerequisites(row.prerequisites);
  const targets = parseTargets(row.targets);
  const rules = parseRules(row.rules);
  const serve = parseServe(row.default_serve);
  const parts = { prerequisites, targets, rules, default_serve: serve };
  return {
    ...commonOf(row),
    targets: targets.ok ? targets.targets : [],
    rules: rules.ok ? rules.rules : [],
    ruleRollouts: ruleRolloutsOf(row),
    unreadable: unreadableOf(parts),
  };
}

const unreadableOf = (parts: Partial<Record<SettingsPart, { readonly ok: boolean }>>): SettingsPart[] =>
  SETTINGS_PARTS.filter((part) => parts[part]?.ok === false);

export function overviewOf({
  rule_count: ruleCount,
  target_count: targetCount,
  ...row
}: OverviewRow): FlagOverview {
  const parts = {
    prerequisites: parsePrerequisites(row.prerequisites),
    default_serve: parseServe(row.default_serve),
  };
  return { ...commonOf(row), unreadable: unreadableOf(parts), ruleCount, targetCount: Number(targetCount) };
}

function commonOf(row: Row): Omit<FlagView, 'targets' | 'rules' | 'ruleRollouts' | 'unreadable'> {
  const prerequisites = parsePrerequisites(row.prerequisites);
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    description: row.description,
    valueType: row.value_type,
    variants: row.variants,
    tags: row.tags,
    owner: row.owner,
    archivedAt: row.archived_at,
    clientVisible: row.client_visible,
    environmentId: row.environment_id,
    environmentKey: row.environment_key,
    isEnabled: row.is_enabled,
    offVariant: row.off_variant,
    prerequisites: prerequisites.ok ? prerequisites.prerequisites : [],
    defaultServe: serveOf(row),
    lastRollout: rolloutOf(row.last_rollout),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** What cannot be read any more is shown as off, so that it can be seen and mended; evaluation answers ERROR for it. */
function serveOf(row: Row): Serve {
  const parsed = parseServe(row.default_serve);
  return parsed.ok ? parsed.serve : { variant: row.off_variant ?? row.variants[0]?.key ?? '' };
}

function ruleRolloutsOf({ rule_rollouts: stored }: ViewRow): Record<string, Rollout> {
  const rollouts = Object.entries(stored).map(([id, each]) => [id, rolloutOf(each)] as const);
  return Object.fromEntries(rollouts.flatMap(([id, rollout]) => (rollout ? [[id, rollout] as const] : [])));
}

function rolloutOf(stored: unknown): Rollout | undefined {
  const parsed = parseServe(stored);
  return parsed.ok && 'rollout' in parsed.serve ? parsed.serve.rollout : undefined;
}

interface StoredParts {
  readonly prerequisites?: object;
  readonly targets?: object;
  readonly rules?: object;
  readonly ruleRollouts?: object;
  readonly defaultServe?: object;
  readonly lastRollout?: object;
}

/** The columns of the parts of settings. What cannot be read is left as it is. */
export function storedParts(settings: FlagSettings): StoredParts {
  const { prerequisites, targets, rules, ruleRollouts, defaultServe, lastRollout, unreadable } = settings;
  const isKept = (part: SettingsPart): boolean => unreadable.includes(part);
  return {
    ...(isKept('prerequisites') ? {} : { prerequisites: prerequisites.map(serializePrerequisite) }),
    ...(isKept('targets') ? {} : { targets: targets.map(serializeTarget) }),
    ...(isKept('rules') ? {} : { rules: rules.map(serializeRule), ruleRollouts: serializeAll(ruleRollouts) }),
    ...(isKept('default_serve') ? {} : { defaultServe: serializeServe(defaultServe) as object }),
    ...(isKept('default_serve') || !lastRollout
      ? {}
      : { lastRollout: serializeServe({ rollout: lastRollout }) as object }),
  };
}

const serializeAll = (rollouts: Readonly<Record<string, Rollout>>): object =>
  Object.fromEntries(Object.entries(rollouts).map(([id, rollout]) => [id, serializeServe({ rollout })]));
