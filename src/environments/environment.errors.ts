import { Conflict, Forbidden, Invalid, NotFound } from '../platform/errors/errors.js';

export class EnvironmentNotFound extends NotFound {
  readonly code = 'environment_not_found';

  constructor(key: string) {
    super(`Environment '${key}' not found`);
  }
}

export class EnvironmentExists extends Conflict {
  readonly code = 'environment_exists';

  constructor(key: string) {
    super(`Environment with key '${key}' already exists`);
  }
}

export class EnvironmentInUse extends Conflict {
  readonly code = 'environment_in_use';

  constructor(key: string, uses: readonly string[]) {
    super(
      `Environment '${key}' still has ${uses.join(' and ')}. Delete them first, or pass force=true to delete them with it.`,
    );
  }
}

export class EnvironmentProtected extends Forbidden {
  readonly code = 'environment_protected';

  /** @param what kind of thing, in the plural */
  constructor(key: string, what: string) {
    super(`Only admins can modify ${what} in '${key}' environment`);
  }
}

/** A protected environment asks people to name what they change. */
export class ConfirmationNeeded extends Invalid {
  override readonly code = 'confirmation_needed';

  constructor(key: string, environmentKey: string) {
    super([
      {
        path: 'confirm',
        message: `must be '${key}': changes in '${environmentKey}' are confirmed by their key`,
      },
    ]);
  }
}

/** An environment asks people why they change something in it. */
export class ReasonNeeded extends Invalid {
  override readonly code = 'reason_needed';

  constructor(environmentKeys: readonly string[]) {
    super([{ path: 'reason', message: `is required in ${environmentKeys.join(', ')}: say why` }]);
  }
}
