import type { Prerequisite, Rollout, Rule, Serve, Target, ValueType, Variant } from '../core/index.js';
import type { InputProblem } from '../platform/errors/errors.js';

/** What a flag is in every environment. */
export interface FlagDefinition {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly valueType: ValueType;
  readonly variants: readonly Variant[];
  readonly tags: readonly string[];
  readonly owner: string | null;
  readonly archivedAt: Date | null;
  /** Whether client keys may know of it. */
  readonly clientVisible: boolean;
}

/** Who gets something else than the rest. */
export interface FlagTargeting {
  /** Other flags that must serve one of some variants. */
  readonly prerequisites: readonly Prerequisite[];
  /** Listed units, one list for each variant that has any, in the order of the variants; keys are sorted, each once. */
  readonly targets: readonly Target[];
  /** In order; the first that matches serves. */
  readonly rules: readonly Rule[];
  /** The rollout of each rule that serves one or did, by its id: switching one off and on again keeps everyone where they were. */
  readonly ruleRollouts: Readonly<Record<string, Rollout>>;
}

/** What is stored of settings as a document each, in the spelling of the ruleset. */
export const SETTINGS_PARTS = ['default_serve', 'prerequisites', 'targets', 'rules'] as const;
export type SettingsPart = (typeof SETTINGS_PARTS)[number];

/** What a flag does in one environment. */
export interface FlagSettings extends FlagTargeting {
  readonly isEnabled: boolean;
  /** Served when the flag is off; `null`: nothing, the caller's default applies. */
  readonly offVariant: string | null;
  readonly defaultServe: Serve;
  /**
   * What is stored and cannot be read by this version. Something plain stands in for it here, and it stays as it is until
   * an editor says what is to be there.
   */
  readonly unreadable: readonly SettingsPart[];
  /** The rollout in force, or the last that was: switching one off and on again keeps everyone where they were. */
  readonly lastRollout: Rollout | undefined;
  /** Counts what was changed in this environment, changes of the definition included. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A flag as one environment has it. */
export interface FlagView extends FlagDefinition, FlagSettings {
  readonly environmentId: string;
  readonly environmentKey: string;
}

/** A flag without its rules and lists: what can be said of it however long they are. */
export interface FlagOverview extends Omit<FlagView, 'targets' | 'rules' | 'ruleRollouts'> {
  readonly ruleCount: number;
  /** How many units are listed, for all variants together. */
  readonly targetCount: number;
}

/** Which flag, where. */
export interface FlagAddress {
  readonly key: string;
  readonly environmentKey: string;
}

export const FLAG_TYPES = ['boolean', 'percentage', 'multivariate'] as const;
/** The simple reading of a flag: on for everyone, on for a share, or anything richer. */
export type FlagType = (typeof FLAG_TYPES)[number];

/** What an input makes of something, and what is wrong with that. */
export type Draft<T> = { readonly value: T; readonly problems: readonly InputProblem[] };
