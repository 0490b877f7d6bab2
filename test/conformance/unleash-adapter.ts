/** Reads Unleash's features, segments and contexts into our documents. For tests only: the core knows nothing of it. */
import type { Context } from '../../src/core/index.js';
import { flagWire, ruleWire, rulesetWire, segmentWire, type Wire } from '../support/builders.js';

interface Constraint {
  readonly contextName: string;
  readonly operator: string;
  readonly values?: readonly string[];
  readonly value?: string;
  readonly inverted?: boolean;
  readonly caseInsensitive?: boolean;
}

interface Strategy {
  readonly name: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly constraints?: readonly Constraint[];
  readonly segments?: readonly number[];
}

export interface Feature {
  readonly name: string;
  readonly enabled: boolean;
  readonly strategies?: readonly Strategy[];
}

export interface Specification {
  readonly name: string;
  readonly state: {
    readonly features: readonly Feature[];
    readonly segments?: readonly { readonly id: number; readonly constraints: readonly Constraint[] }[];
  };
  readonly tests?: readonly {
    readonly description: string;
    readonly context: UnleashContext;
    readonly toggleName: string;
    readonly expectedResult: boolean;
  }[];
}

export type UnleashContext = Readonly<Record<string, unknown>> & {
  readonly properties?: Readonly<Record<string, unknown>>;
};

/** Theirs are texts throughout; where their operator reads a number, ours is given one under a name of its own. */
const numberOf = (name: string) => `${name} as a number`;

export function contextFrom({ properties, ...fields }: UnleashContext): Context {
  const attributes = { ...properties, ...fields };
  const numbers = Object.entries(attributes)
    .map(([name, value]) => [numberOf(name), Number(value)] as const)
    .filter(([, value]) => Number.isFinite(value));
  return {
    ...attributes,
    ...Object.fromEntries(numbers),
    ...('userId' in fields && { targetingKey: fields['userId'] }),
  } as Context;
}

export function rulesetFrom({ state }: Specification): Wire {
  return rulesetWire(state.features.map(flagFrom), {
    segments: (state.segments ?? []).map(({ id, constraints }) =>
      segmentWire(String(id), { conditions: { all: constraints.map(conditionFrom) } }),
    ),
  });
}

/** Each strategy is a rule; a feature without any is on for everybody. */
function flagFrom({ name, enabled, strategies = [] }: Feature): Wire {
  const rules = strategies.map((strategy, index) =>
    ruleWire(`${index} ${strategy.name}`, [
      ...(strategy.segments ?? []).map((id) => ({ operator: 'in_segment', values: [String(id)] })),
      ...(strategy.constraints ?? []).map(conditionFrom),
      ...conditionsOfStrategy(strategy),
    ]),
  );
  const otherwise = strategies.length === 0 ? 'on' : 'off';
  return flagWire(name, { is_enabled: enabled, rules, default_serve: { variant: otherwise } });
}

const OPERATORS: Readonly<Record<string, string>> = {
  IN: 'in',
  NOT_IN: 'in',
  STR_CONTAINS: 'contains',
  STR_STARTS_WITH: 'starts_with',
  STR_ENDS_WITH: 'ends_with',
  NUM_EQ: 'equals',
  NUM_GT: 'gt',
  NUM_GTE: 'gte',
  NUM_LT: 'lt',
  NUM_LTE: 'lte',
  DATE_AFTER: 'after',
  DATE_BEFORE: 'before',
  SEMVER_EQ: 'semver_eq',
  SEMVER_GT: 'semver_gt',
  SEMVER_LT: 'semver_lt',
};

function conditionFrom({
  contextName,
  operator,
  value,
  values,
  inverted,
  caseInsensitive,
}: Constraint): Wire {
  const isNumber = operator.startsWith('NUM_');
  const wanted = value === undefined ? (values ?? []) : [value];
  return {
    attribute: isNumber ? numberOf(contextName) : contextName,
    operator: OPERATORS[operator] ?? operator,
    values: isNumber ? wanted.map(Number) : wanted,
    negate: (operator === 'NOT_IN') !== (inverted === true),
    ...(operator.startsWith('STR_') && caseInsensitive === true && { case_insensitive: true }),
  };
}

const listed = (text = '') =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function conditionsOfStrategy({ name, parameters = {} }: Strategy): Wire[] {
  switch (name) {
    case 'default':
      return [];
    case 'userWithId':
      return [{ attribute: 'userId', operator: 'in', values: listed(parameters['userIds']) }];
    case 'remoteAddress': {
      // They pass over what is no address; we refuse to save it, so the adapter leaves it out.
      const values = listed(parameters['IPs']).filter((ip) => /^[\d.]+(?:\/\d+)?$/.test(ip));
      return [{ attribute: 'remoteAddress', operator: 'in_cidr', values }];
    }
    default: {
      // A share. 0 and 100 % mean the same to every hash; between them theirs is another one, see the tests.
      const percentage = Number(parameters['percentage'] ?? parameters['rollout']);
      const by = { gradualRolloutUserId: 'userId', gradualRolloutSessionId: 'sessionId' }[name];
      return [
        ...(percentage > 0 ? [] : [{ attribute: 'userId', operator: 'in', values: [] }]),
        ...(by === undefined ? [] : [{ attribute: by, operator: 'is_set' }]),
      ];
    }
  }
}

/** Whether a feature splits people by Unleash's own hash. */
export function isShared({ strategies = [] }: Feature): boolean {
  return strategies.some(({ parameters = {} }) => {
    const percentage = parameters['percentage'] ?? parameters['rollout'];
    return percentage !== undefined && percentage !== '0' && percentage !== '100';
  });
}
