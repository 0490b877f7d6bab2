import { Conflict, NotFound } from '../platform/errors/errors.js';

export class FlagNotFound extends NotFound {
  readonly code = 'flag_not_found';

  constructor(key: string, environmentKey: string) {
    super(`Flag '${key}' not found in environment '${environmentKey}'`);
  }
}

export class FlagExists extends Conflict {
  readonly code = 'flag_exists';

  constructor(readonly flagKey: string) {
    super(`Flag '${flagKey}' already exists in this environment`);
  }
}

/** A flag has one definition for all environments; this one contradicts it. */
export class FlagDefinitionDiffers extends Conflict {
  readonly code = 'flag_definition_differs';

  constructor(key: string, fields: readonly string[]) {
    super(
      `Flag '${key}' exists in another environment, and its definition differs in: ${fields.join(', ')}. ` +
        `Say the same here; PUT /flags/${key} changes a definition, all but its value_type.`,
    );
  }
}

/** Other flags need it. */
export class FlagInUse extends Conflict {
  readonly code = 'flag_in_use';

  constructor(key: string, dependents: readonly { readonly key: string; readonly environmentKey: string }[]) {
    const who = dependents.slice(0, 10).map((each) => `'${each.key}' in '${each.environmentKey}'`);
    const more = dependents.length > who.length ? ` and ${dependents.length - who.length} more` : '';
    super(`Flag '${key}' is a prerequisite of ${who.join(', ')}${more}. Change that first.`);
  }
}

export class RuleNotFound extends NotFound {
  readonly code = 'rule_not_found';

  constructor(key: string, ruleId: string) {
    super(`Flag '${key}' has no rule '${ruleId}'`);
  }
}

/** One variant for everybody: there is no salt to draw anew. */
export class NothingToReRandomise extends Conflict {
  readonly code = 'no_rollout';

  constructor(what: string) {
    super(`Nothing to re-randomise: ${what} is not a rollout`);
  }
}

export class VariantNotFound extends NotFound {
  readonly code = 'variant_not_found';

  constructor(key: string, variant: string) {
    super(`Flag '${key}' has no variant '${variant}'`);
  }
}
